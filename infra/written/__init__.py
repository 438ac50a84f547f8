"""Hand-written files: settings, contracts and requests, read and checked without a provider SDK.

Modules import only modules above them in this list; a test enforces the order.

    paths       folders of the repository that people write in
    sections    base class and errors of pydantic models for files
    settings    the settings of a stack: a module a section, rules across sections
    stacks      the files `Pulumi.<stack>.yaml`
    contracts   what the program takes from data contracts
    requests    what teams ask for
"""
