<?php
// A shop that is about to be empty, on a cassette that a person wrote: docs/how-to/mock.md. The second argument is `pdo` or `functions`.
[, $string, $how] = $argv;
$query = 'select name, price from fruit where price < ?';

if ($how === 'pdo') {
    $db = new PDO("odbc:$string");
    $db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
    $rows = $db->prepare($query);
    $rows->execute([5]);
    echo 'columns: ', $rows->getColumnMeta(0)['name'], ' ', $rows->getColumnMeta(1)['name'], "\n";
    foreach ($rows->fetchAll(PDO::FETCH_NUM) as $row) {
        echo 'row: ', json_encode($row), "\n";
    }
    echo 'gone: ', $db->exec('delete from fruit'), "\n";
    try {
        $db->query('select nothing');
    } catch (PDOException $error) {
        echo 'error: ', $error->getMessage(), "\n";
    }
} else {
    $db = odbc_connect($string, '', '');
    $rows = odbc_prepare($db, $query);
    odbc_execute($rows, [5]);
    echo 'columns: ', odbc_field_name($rows, 1), ' ', odbc_field_type($rows, 1), ' ', odbc_field_len($rows, 1), "\n";
    while (($row = odbc_fetch_array($rows)) !== false) {
        echo 'row: ', json_encode(array_values($row)), "\n";
    }
    echo 'gone: ', odbc_num_rows(odbc_exec($db, 'delete from fruit')), "\n";
    @odbc_exec($db, 'select nothing');
    echo 'error: ', odbc_error($db), ' ', odbc_errormsg($db), "\n";
    odbc_close($db);
}
echo "done: everything was asked\n";
