# What a Tcl program on TDBC does: statements with and without named parameters, every way of fetching, catalog,
# transactions, errors.
package require tdbc::odbc

tdbc::odbc::connection create db [lindex $argv 0]

proc tell {what value} { puts "$what: $value" }
proc short {row} { dict map {name cell} $row { expr {[string length $cell] > 100 ? [string length $cell] : $cell} } }
# Without the driver's own code: TDBC reads more bytes of it than there are.
proc failing {what script} {
    try { uplevel 1 $script; tell $what "no error" } on error {message options} {
        tell $what [list $message [lrange [dict get $options -errorcode] 0 3]]
    }
}

db allrows {create table tcl_item (id integer, name varchar(20), price double precision, day date, note varchar(9000))}
db allrows {insert into tcl_item values (1, 'apple', 1.5, '2026-11-21', 'short')}
set insert [db prepare {insert into tcl_item values (:id, :name, :price, :day, :note)}]
$insert paramtype id integer
$insert paramtype name varchar 20
$insert paramtype price double
$insert paramtype day varchar 10
$insert paramtype note varchar 9000
foreach row [list {id 2 name pear price 0.25 day 2025-01-01} {id 3} {id 4 name Käse price 7 note {}} "id 5 note [string repeat x 8000]"] {
    set done [$insert execute $row]
    tell rows [$done rowcount]
    $done close
}
$insert close

set all [db prepare {select * from tcl_item order by id}]
set rows [$all execute]
tell columns [$rows columns]
while {[$rows nextdict row]} { tell row [short $row] }
$rows close
$all close
foreach price {5 99} {
    db foreach -as lists row {select id, name from tcl_item where price < :price order by id} { tell below $row }
}
tell all [db allrows -as lists {select id from tcl_item order by id}]
tell tables [dict keys [db tables tcl_item]]
dict for {name column} [db columns tcl_item] { tell column [list $name [dict get $column type] [dict get $column nullable]] }
failing "no table" { db allrows {select * from nothing} }
failing "rolled back" { db transaction { db allrows {delete from tcl_item where id = 1}; error "not this time" } }
tell "still there" [db allrows -as lists {select count(*) from tcl_item}]
db transaction { db allrows {delete from tcl_item where id = 1} }
tell gone [db allrows -as lists {select count(*) from tcl_item}]
db close
puts "done: everything was asked"
