"""Tables of every make: what stands below a head that names it goes, what stands beside it stays."""

from __future__ import annotations

import json

import pytest

from spanledger.pipeline import Redactor

REDACTOR = Redactor()

PSQL = """\
 id | name | password
----+------+------------
  1 | bob  | Tr0ub4dor9
  2 | ann  | sommerwind
(2 rows)
"""
MYSQL = """\
mysql> select * from users;
+----+------+------------+---------------+
| id | name | password   | phone         |
+----+------+------------+---------------+
|  1 | bob  | Tr0ub4dor9 | 030 1234567   |
|  2 | ann  | sommerwind | 050 123 45 67 |
+----+------+------------+---------------+
2 rows in set (0.00 sec)
"""
ONE = " password \n------------\n Tr0ub4dor9\n sommerwind\n(2 rows)\n"
GRID = "+------+------------+\n| name | password   |\n+======+============+\n| bob  | Tr0ub4dor9 |\n+------+------------+\n| ann  | sommerwind |\n+------+------------+\n"
CSV = '"name","address","password"\n"bob","12 Elm, Town","Tr0ub4dor9"\nann,x,hunter2xx\n'


@pytest.mark.parametrize(
    ("table", "needles"),
    [
        (PSQL, ["Tr0ub4dor9", "sommerwind"]),
        (MYSQL, ["Tr0ub4dor9", "sommerwind", "1234567", "123 45"]),
        (ONE, ["Tr0ub4dor9", "sommerwind"]),
        (GRID, ["Tr0ub4dor9", "sommerwind"]),
        (CSV, ["Tr0ub4dor9", "hunter2xx"]),
        (CSV.replace("\n", "\r\n"), ["Tr0ub4dor9", "hunter2xx"]),
        ('id,note,password\n1,"two\nlines, here",Tr0ub4dor9\n2,"a ""b"", c",hunter2xx\n', ["Tr0ub4dor9", "hunter2xx"]),
        ("| # | **Name** | **Password** |\n|---|:-:|---|\n| 1 | bob | Tr0ub4dor9 |", ["Tr0ub4dor9"]),
        ("id,name,tel\n1,bob,987 654 321\n", ["987 654"]),
        ("| id | cell     |\n|---|---|\n| bob | 011 91234-5678 |", ["91234"]),
        ('"name";"whatsapp";"x"\r\n"bob";"0501234567";1\r\n', ["0501234567"]),
        ("Here, the users:\nname,password\nbob,Tr0ub4dor9\n", ["Tr0ub4dor9"]),
        ("Imię,Hasło,Telefon,Password\nbob,x,0301234567,Tr0ub4dor9\n", ["Tr0ub4dor9", "0301234567"]),
    ],
)  # fmt: skip
def test_a_column_goes_by_its_head(table, needles):
    for new in (
        REDACTOR.text(table),
        str(REDACTOR.value({"result": table})),
        REDACTOR.text(json.dumps({"rows": table})),
    ):
        assert [needle for needle in needles if needle in new] == []
        assert "bob" in new or "bob" not in table


HTML = (
    '<table class="x">{0}<thead>{0}<tr>{0}<th>User</th>{0}<th class="y"><b>Password</b></th>{0}<th>Phone number</th></tr>'
    '</thead>{0}<tbody>{0}<tr>{0}<td>bob</td>{0}<td class="y">{0} <code>Tr0ub4dor9</code></td>{0}<td>030 1234567</td></tr>'
    "<tr><td>ann</td><td>hunter2xx</td><td></td></tr>{0}</tbody></table>"
)  # fmt: skip


@pytest.mark.parametrize(
    ("page", "needles"),
    [
        (HTML.format(""), ["Tr0ub4dor9", "hunter2xx", "1234567"]),
        (HTML.format("\n  "), ["Tr0ub4dor9", "hunter2xx", "1234567"]),
        (HTML.format("").upper().replace("TR0UB4DOR9", "Tr0ub4dor9").replace("BOB", "bob"), ["Tr0ub4dor9"]),
        (
            "<table><tr><td>user<td>password<tr><td>bob<td>Tr0ub4dor9</table>".replace(
                "<td>password", "<td>password</td>"
            ),
            ["Tr0ub4dor9"],
        ),
        ("<tr><th>User</th><td>bob</td></tr><tr><th>Password:</th><td>Tr0ub4dor9</td></tr>", ["Tr0ub4dor9"]),
        ("<tr><td>User</td><td>bob</td></tr>\n<tr><td>Password</td><td>Tr0ub4dor9</td></tr>", ["Tr0ub4dor9"]),
        ("<dl><dt>User</dt><dd>bob</dd><dt>API key</dt><dd>kR9xAbcdEf12gh</dd></dl>", ["kR9xAbcdEf12gh"]),
        ("<tr><th>User</th><td>bob</td></tr><tr><th>Passport</th><td>C01X00T47</td></tr>", ["C01X00T47"]),
    ],
)
def test_a_cell_of_a_page_goes_by_its_head(page, needles):
    for new in (REDACTOR.text(page), str(REDACTOR.value({"result": page})), REDACTOR.text(json.dumps({"page": page}))):
        assert [needle for needle in needles if needle in new] == []
        assert "bob" in new


@pytest.mark.parametrize(
    "text",
    [
        "<table><tr><th>Password</th><th>Size</th></tr><tr><td>any word</td><td>b2</td></tr></table><tr><td>x3</td></tr>",
        "<table><tr><th>User</th><th>Password</th></tr><tr><td>a1</td><td>required</td></tr></table>",
        "<p>Password</p><p>Tr0ub4dor9</p>",
        '<dl><dt>token</dt><dd><a href="x.html">parseOptions2</a></dd></dl>',
        "for each in (\n    '__name__', '__signature__',\n    '__module__', '__defaults__',\n):",
        " token | count\n-------+-------\n the   | 17\n dog   | 3\n(2 rows)\n",
        "| Name | Secret |\n|---|---|\n| url | database |\n",
        "Password\n--------\nReset2FA by hand\n",
        "name,secret\nbob,none\nann,null\n",
        "Tell me your password, name, and so on.\nThe first1, second2, and third3.\n",
        "cell,type\nA1,12\nB2,13\n",
        "Go to your cell, call Bob,\nand wait, 12345678.\n",
        "| password | x |\n\nThen b2 | c3\n",
    ],
)
def test_what_is_no_column_of_secrets_stays(text):
    assert REDACTOR.text(text) == text


def test_a_table_ends_where_its_text_does():
    other = "one,two2\nthree,four4\n"
    assert REDACTOR.value(["name,password\nbob,Tr0ub4dor9", other])[1] == other


@pytest.mark.parametrize(
    "rows",
    [
        "INSERT INTO users (email, password) VALUES\n  ('x', 'Tr0ub4dor9'),\n  ('y', 'hunter2xx');",
        "INSERT INTO users (\n  email,\n  password\n)\nVALUES\n(\n  'x',\n  'Tr0ub4dor9'\n),\n(\n  'y',\n  'hunter2xx'\n);",
        "INSERT INTO users (email, password)\nVALUES ('x', crypt('Tr0ub4dor9', gen_salt('bf'))), (LOWER('Y'), MD5('hunter2xx'))",
        "INSERT INTO u (id, at, password) VALUES (1, NOW(), 'Tr0ub4dor9'), (2, date_trunc('day', now()), E'hunter2xx'::text)",
        "INSERT INTO `u` (`name`, `password`)   VALUE   (\"O'Brien\", \"Tr0ub4dor9\"), ('O''Brien', 'it''s hunter2xx')",
        "INSERT INTO u (name, password) VALUES ('O\\'Brien', 'Tr0ub4dor9'), ('b', 'a' || 'hunter2xx')",
        "INSERT INTO u (password, name) VALUES ('$2Tr0ub4dor9', 'a'), ('@hunter2xx', 'b')",
    ],
)  # fmt: skip
def test_a_value_goes_by_its_column(rows):
    for new in (REDACTOR.text(rows), str(REDACTOR.value({"sql": rows})), REDACTOR.text(json.dumps({"sql": rows}))):
        assert "Tr0ub4dor9" not in new
        assert "hunter2xx" not in new
        assert "INSERT INTO" in new
        assert "gen_salt" in new or "gen_salt" not in rows


@pytest.mark.parametrize(
    "rows",
    [
        "INSERT INTO t (a, password, at) VALUES (?, %s, $1), (:a, @p, NULL)",
        "INSERT INTO t (a, password) VALUES (1, gen_random_uuid()), (2, digest(md5(now()), 'sha256'))",
        "insert into t (token_count, note) values (3, lower('hello there'))",
    ],
)
def test_what_stands_for_a_value_stays(rows):
    assert REDACTOR.text(rows) == rows
