"""Pictures from bytes or from files: opened far enough to know that they are pictures, and kept as they are."""

import base64
import io
import warnings
from pathlib import Path

import polars as pl

from labeling.formats.sources.limits import limits, setting_of

LARGEST_BYTES = 20 * 2**20
LARGEST_TOTAL = 2 * 2**30
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")


def read_images(column: pl.Series, root: str | Path | None) -> tuple[pl.Series, dict[int, str]]:
    """Return a column of pictures as bytes, and by row why some could not be read.

    Paths are taken relative to ``root`` and stay below it; without a root, as with an upload, only bytes
    are accepted. URLs are refused: nothing is fetched.
    """
    place = Path(root).resolve() if root is not None else None
    pictures: list[bytes | None] = []
    faults: dict[int, str] = {}
    total = 0
    for row, value in enumerate(column.to_list()):
        try:
            picture = value if isinstance(value, bytes | None) else _load(value, place)
            if picture is not None:
                check_image(picture)
                total += len(picture)
        except (ValueError, OSError) as error:
            faults[row] = str(error)
            picture = None
        pictures.append(picture)
        if total > LARGEST_TOTAL:
            raise ValueError(
                f"The pictures of this import take over {LARGEST_TOTAL >> 30} GiB (at row {row + 1:,}). "
                "Import the file in parts."
            )
    return pl.Series(column.name, pictures, dtype=pl.Binary), faults


def _load(text: str, root: Path | None) -> bytes:
    if text.startswith("data:"):
        return _decode(text)
    if "://" in text:
        raise ValueError(f"{text[:80]!r} is a URL, and Tally fetches nothing; download the picture and give its path")
    if root is None:
        raise ValueError(
            f"{text[:80]!r} is a path, and an upload has no folder to look in; give image_root= or the bytes"
        )
    if "\0" in text:
        raise ValueError("the path of the picture holds a NUL character")
    path = (root / text).resolve()
    if not path.is_relative_to(root):
        raise ValueError(f"the picture {text[:80]!r} lies outside {root}; give image_root= of a folder that holds it")
    if not path.is_file():
        raise ValueError(f"there is no picture {text[:80]!r} in {root}")
    if path.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"the picture {text[:80]!r} has over {LARGEST_BYTES >> 20} MiB")
    return path.read_bytes()


def _decode(text: str) -> bytes:
    kind, _, encoded = text.partition(";base64,")
    try:
        content = base64.b64decode(encoded, validate=True)
    except ValueError:
        content = b""
    if not content or len(kind) > 100:
        raise ValueError(f"the bytes written as {text[:40]!r} are not base64")
    return content


def is_picture(content: bytes) -> bool:
    """Whether bytes begin as a picture does; one that is too large is one."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            Image.open(io.BytesIO(content), formats=FORMATS).close()
    except Image.DecompressionBombError:
        return True
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def check_image(content: bytes) -> tuple[str, int, int]:
    r"""Return format, width and height of a picture; raise ValueError if it is none, or too large.

    Only the header is decoded, so that a small file that unpacks to a huge picture costs nothing.

    Examples
    --------
    >>> check_image(b"<svg onload='alert(1)'/>")
    Traceback (most recent call last):
    ...
    ValueError: not a picture of a known format (PNG, JPEG, GIF, WEBP, BMP, TIFF)
    """
    from PIL import Image

    if len(content) > LARGEST_BYTES:
        raise ValueError(f"the picture has {len(content) / 2**20:.0f} MiB, over {LARGEST_BYTES >> 20}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                kind, (width, height) = str(picture.format), picture.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a picture of a known format ({', '.join(FORMATS)})") from error
    most = limits().pixels
    if width * height > most:
        raise ValueError(
            f"the picture has {width} x {height} pixels, over {most:,}; the environment variable "
            f"{setting_of('pixels')} sets the limit"
        )
    return kind, width, height
