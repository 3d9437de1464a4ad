"""What is too large is refused by what its beginning or its footer says, before work begins."""

import json

import pandas as pd
import polars as pl
import pytest

from labeling import Project
from labeling.formats.reading.pictures import check_image
from labeling.formats.reading.tables import read_source
from labeling.formats.sources.limits import check_size, limits


@pytest.fixture
def at_most(monkeypatch):
    def set_limits(**most):
        for name, value in most.items():
            monkeypatch.setenv(f"LABELING_MAX_{name.upper()}", str(value))

    return set_limits


ROWS = [{"text": f"post {number}", "n": number} for number in range(30)]


def as_file(tmp_path, kind):
    path = tmp_path / f"rows.{kind}"
    frame = pl.DataFrame(ROWS)
    if kind == "parquet":
        frame.write_parquet(path)
    elif kind == "csv":
        frame.write_csv(path)
    elif kind == "jsonl":
        frame.write_ndjson(path)
    elif kind == "json":
        path.write_text(json.dumps(ROWS))
    else:
        frame.to_pandas().to_excel(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "json", "polars", "pandas", "records", "lazy"])
def test_rows_and_columns_have_a_limit_by_every_door(tmp_path, at_most, kind):
    frames = {"polars": pl.DataFrame(ROWS), "pandas": pd.DataFrame(ROWS), "records": ROWS, "lazy": pl.LazyFrame(ROWS)}
    source = frames[kind] if kind in frames else as_file(tmp_path, kind)
    at_most(rows=30, columns=2, cells=60)
    assert read_source(source).frame.shape == (30, 2)
    at_most(rows=29)
    with pytest.raises(ValueError, match=r"has 30 rows; at most 29 are read.*LABELING_MAX_ROWS"):
        read_source(source)
    at_most(rows=30, columns=1)
    with pytest.raises(ValueError, match=r"has 2 columns; at most 1 are read.*LABELING_MAX_COLUMNS"):
        read_source(source)
    at_most(columns=2, cells=59)
    with pytest.raises(ValueError, match=r"has 60 cells; at most 59 are read.*LABELING_MAX_CELLS"):
        read_source(source)


def test_a_small_file_of_many_rows_is_refused_by_its_footer(tmp_path, monkeypatch):
    path = tmp_path / "bomb.parquet"
    pl.select(text=pl.repeat("x", 11_000_000)).write_parquet(path)
    assert path.stat().st_size < 1 << 20
    monkeypatch.setattr(pl, "read_parquet", lambda *_, **__: pytest.fail("the rows were read"))
    with pytest.raises(ValueError, match=r"bomb.parquet has 11,000,000 rows; at most 10,000,000 are read"):
        read_source(path)
    with pytest.raises(ValueError, match="11,000,000 rows"):
        read_source(path.read_bytes(), name="bomb.parquet", limit=1000)


def test_unpacked_bytes_of_parquet_have_a_limit(tmp_path, at_most):
    at_most(unpacked_bytes=100)
    with pytest.raises(ValueError, match=r"unpacked bytes; at most 100 are read.*LABELING_MAX_UNPACKED_BYTES"):
        read_source(as_file(tmp_path, "parquet"))


def test_reading_stops_at_the_limit_and_not_at_the_end(at_most):
    def endless():
        number = 0
        while number < 200_000:
            number += 1
            yield number
        pytest.fail("all was read")

    class Endless(list):
        def __iter__(self):
            return ({"n": number} for number in endless())

    at_most(rows=50_000)
    with pytest.raises(ValueError, match="60,000 rows; at most 50,000"):
        read_source(Endless())


def test_pixels_have_a_limit(at_most):
    import io

    from PIL import Image

    content = io.BytesIO()
    Image.new("RGB", (4, 3)).save(content, "PNG")
    at_most(pixels=11)
    with pytest.raises(ValueError, match=r"4 x 3 pixels, over 11; .*LABELING_MAX_PIXELS"):
        check_image(content.getvalue())


def test_the_limits_are_settings(at_most):
    assert limits().rows == 10_000_000
    at_most(rows="20_000_000")
    assert limits().rows == 20_000_000
    check_size("posts", 20_000_000, 3)
    at_most(rows="many")
    with pytest.raises(ValueError, match="LABELING_MAX_ROWS is a whole number of 1 or more, got 'many'"):
        limits()


def test_thousands_of_columns_ask_for_the_schema_a_few_times(sqlite_url, monkeypatch):
    asked = []
    schema = pl.DataFrame.schema.fget
    monkeypatch.setattr(pl.DataFrame, "schema", property(lambda frame: asked.append(frame.width) or schema(frame)))
    frame = pl.DataFrame({"text": ["a", "b"], **{f"c{number}_id": [0.5, number] for number in range(400)}})
    assert Project.create("wide", labels=["no", "yes"], storage=sqlite_url).add_items(frame).added == 2
    assert sum(width > 300 for width in asked) < 40


def test_columns_of_a_file_get_their_types_at_once():
    table = read_source(b"a,b,c,d,e\n1,0.5,true,x,\n2,1e-3,false,1,\n", name="rows.csv")
    assert table.frame.dtypes == [pl.Int64, pl.Float64, pl.Boolean, pl.String, pl.String]
    assert table.text_of("b").to_list() == ["0.5", "1e-3"]
