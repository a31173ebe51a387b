# Tests of a shop, by a program that each of them runs.

setup_file() {
    echo "select count(*) from fruit" | isql -b shop
}

@test "apples have a price" {
    echo "select price from fruit where name = 'apple'" | isql -b shop | grep "| 3"
}

@test "two programs" {
    echo "select name from fruit where price = 4" | isql -b shop | grep pear
    echo "select name from fruit where ${PRICE:-price is null}" | isql -b shop | grep cherry
}
