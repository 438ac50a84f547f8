#!/bin/sh
# Names everything that this machine lacks for `make up`, with the line that installs it; runs that line after a yes at
# a terminal, or with INSTALL=yes. `sh cli/prerequisites.sh python` looks for Python alone, which `make setup` needs.
# It runs before there is a Python environment; `platform doctor` checks the same more exactly afterwards.
set -u
cd "$(dirname "$0")/.." || exit 1
scope=${1:-all}
builds=${XDG_CACHE_HOME:-$HOME/.cache}/churn-platform

lack() { # what is lacking, key for package_of
    missing="$missing
  $1"
    needed="$needed $2"
}

check() {
    missing=
    needed=
    sh cli/find_python.sh > /dev/null || lack "Python 3.11, 3.12 or 3.13 with its module venv" python
    [ "$scope" = python ] && return
    java=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    javac=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
    case $java,$javac in
    17,17 | 21,21 | 21,17) ;;
    *) lack "JDK 17 or 21 (java: ${java:-none}, javac: ${javac:-none}), which runs Spark" jdk ;;
    esac
    has mvn || { built 'spark-*/jars.txt' && built 'kafka-*/jars.txt'; } ||
        lack "Maven, which fetches the jars of Spark and Kafka" maven
    has go || has pulumi || built 'engine-*/bin/pulumi' || release_exists ||
        lack "Go, which builds Pulumi's engine: no release of it can be downloaded" go
}

has() { command -v "$1" > /dev/null 2>&1; }

built() { # pattern below the folder of builds
    # shellcheck disable=SC2086,SC2231 # the pattern is meant
    for file in "$builds"/$1; do [ -e "$file" ] && return 0; done
    return 1
}

# Asked by Python as the installation will ask. A bare system may have no Python or no certificates yet: a connection
# is enough then.
release_exists() {
    releases=$(sed -n 's/^RELEASES = "\(.*\)"/\1/p' local/engine/release.py)
    version=$(sed -n 's/^ENGINE_VERSION = "\(.*\)"/\1/p' local/engine/release.py)
    host=${releases#https://}
    "$(sh cli/find_python.sh)" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=3)' \
        "$releases/v$version/pulumi-$version-checksums.txt" 2> /dev/null ||
        timeout 3 bash -c ": < /dev/tcp/${host%%/*}/443" 2> /dev/null
}

package_of() { # key; the manager's name for it
    case $manager,$1 in
    apt-get,python) known python3.11-venv python3.12-venv python3.13-venv python3-venv ;;
    apt-get,jdk) known openjdk-17-jdk-headless openjdk-21-jdk-headless default-jdk-headless ;;
    apt-get,go) echo golang-go ;;
    dnf,python) echo python3.12 ;;
    dnf,jdk) echo java-21-openjdk-devel ;;
    dnf,go) echo golang ;;
    brew,python) echo python@3.12 ;;
    brew,jdk) echo openjdk@21 ;;
    *) echo "$1" ;; # maven is maven everywhere, and so is Homebrew's go
    esac
}

known() { # the first package that apt's lists have; the last one where they have none, as before the first update
    for package; do apt-cache show "$package" > /dev/null 2>&1 && break; done
    echo "$package"
}

# The one line that installs what is needed, for this system's package manager.
install_line() {
    packages=
    for key in $needed; do packages="$packages $(package_of "$key")"; done
    case $manager in
    apt-get) echo "${sudo}apt-get update && ${sudo}apt-get install --yes --no-install-recommends$packages" ;;
    dnf) echo "${sudo}dnf install --assumeyes$packages" ;;
    brew) echo "brew install$packages" ;;
    esac
}

agreed() {
    [ "${INSTALL:-}" = yes ] && return 0
    { [ -t 0 ] && [ -t 2 ]; } || return 1
    printf 'Run it now? [y/N] ' >&2
    read -r answer
    case $answer in y | Y | yes) return 0 ;; *) return 1 ;; esac
}

check
[ -z "$missing" ] && exit 0
manager=none
for name in apt-get dnf brew; do
    if has "$name"; then manager=$name && break; fi
done
sudo=
rights=yes
if [ "$manager" != brew ] && [ "$(id -u)" -ne 0 ]; then
    if has sudo; then sudo="sudo "; else rights=no; fi
fi
last=
while [ -n "$missing" ]; do
    echo "error: this machine lacks:$missing" >&2
    line=$(install_line)
    if [ -z "$line" ]; then
        echo "  → install it, then run this again" >&2
        exit 1
    fi
    if [ "$line" = "$last" ]; then # it was installed and is still lacking
        echo "  → \`$line\` ran and did not bring it onto PATH: put it there, then run this again" >&2
        exit 1
    fi
    if [ $rights = no ]; then
        echo "  → as root: $line" >&2
        exit 1
    fi
    echo "  → $line" >&2
    if ! agreed; then
        echo "Nothing was installed: run the line, or this again with INSTALL=yes." >&2
        exit 1
    fi
    DEBIAN_FRONTEND=noninteractive sh -c "$line" >&2 || exit 1
    last=$line
    hash -r
    check
done
