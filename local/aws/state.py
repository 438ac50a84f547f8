"""What moto keeps in its memory, written to a folder after every change and read back at the next start.

The whole of it is one pickle (some 5 ms for a hundred resources), since the services of moto refer to each other.
Contents of S3's objects lie beside it, each in a file with the name of its checksum.
"""

from __future__ import annotations

import io
import pickle
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.s3.models import FakeKey

from local.errors import AwsStateError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = f"moto {version('moto')}"
BOOKKEEPING = {"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"}


class State:
    """moto's memory on disk.

    Args:
        folder: Folder that holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._file, self._contents = folder / "state.pickle", folder / "objects"
        self._contents.mkdir(parents=True, exist_ok=True)
        self._saved = b""

    def restore(self) -> None:
        """Puts what was saved into moto.

        Raises:
            AwsStateError: Another version of moto has saved it, or it is damaged.
        """
        if not self._file.exists():
            return
        data = self._file.read_bytes()
        try:
            written, _, body = data.partition(b"\n")
            if written.decode() != FORMAT:
                raise AwsStateError(f"{self._file} was written by {written.decode()}, this is {FORMAT}: {REMEDY}")
            reader = _Reader(io.BytesIO(body), self._contents)
            services = reader.load()
        except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, UnicodeDecodeError, OSError) as error:
            raise AwsStateError(f"{self._file} cannot be read ({error}): {REMEDY}") from error
        for service, (attributes, accounts) in services.items():
            backends = get_backend(service)
            backends.__dict__.update(attributes)
            for account, regions in accounts.items():
                for region, backend in regions.items():
                    backends[account][region] = backend
        self._saved = data
        for path in self._contents.iterdir():
            if path.name not in reader.read:  # of an object that was deleted
                path.unlink()

    def save(self) -> None:
        """Writes all that is in moto, if it has changed."""
        services = {
            backends.service_name: (
                {name: value for name, value in backends.__dict__.items() if name not in BOOKKEEPING},
                {account: dict(regions.items()) for account, regions in backends.items()},
            )
            for backends in _used_backends()
        }
        body = io.BytesIO()
        _Writer(body, self._contents).dump(services)
        data = FORMAT.encode() + b"\n" + body.getvalue()
        if data != self._saved:
            new = self._file.with_suffix(".new")
            new.write_bytes(data)
            new.replace(self._file)
            self._saved = data


def _used_backends() -> list[Any]:
    """Lists moto's backends that are in use."""
    backends: list[Any] = vars(BackendDict)["_instances"]  # moto has no public name for the list
    return backends


REMEDY = "remove this folder and deploy anew"


class _Writer(pickle.Pickler):
    """Writes keys of KMS, which are no Python objects, as DER, and contents of S3's objects to files of their own."""

    def __init__(self, file: io.BytesIO, contents: Path) -> None:
        super().__init__(file, protocol=5)
        self._contents = contents

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            form = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            return _private_key, (thing.private_bytes(*form),)
        if isinstance(thing, FakeKey):
            state = {name: value for name, value in thing.__dict__.items() if name not in ("_value_buffer", "lock")}
            return FakeKey.__new__, (FakeKey,), state | {"value": b"" if thing.disposed else _Content(thing)}
        return NotImplemented

    def persistent_id(self, thing: Any) -> Any:
        if not isinstance(thing, _Content):
            return None
        path = self._contents / thing.name
        if not path.exists():
            new = path.with_suffix(".new")
            new.write_bytes(thing.key.value)
            new.replace(path)
        return thing.name


class _Reader(pickle.Unpickler):
    """Reads what `_Writer` wrote."""

    def __init__(self, file: io.BytesIO, contents: Path) -> None:
        super().__init__(file)
        self._contents = contents
        self.read: set[str] = set()

    def persistent_load(self, name: Any) -> Any:
        self.read.add(str(name))
        return (self._contents / str(name)).read_bytes()


class _Content:
    """The content of an object of S3, known by its checksum."""

    def __init__(self, key: Any) -> None:
        self.key, self.name = key, key.etag.strip('"')


def _private_key(data: bytes) -> Any:
    return serialization.load_der_private_key(data, None)
