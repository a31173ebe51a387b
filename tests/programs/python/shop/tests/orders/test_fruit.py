"""A file of the same name as another one, with a test of the same name."""


def test_two_questions(shop):
    assert shop.rows("select name from fruit where price = 4") == [["pear"]]
