% What a SWI-Prolog program does: queries with and without parameters, rows by backtracking and one by one, types, catalog,
% transactions, errors.
% a thread that collects atoms may outlive the end of a short program on a busy machine, and then SWI-Prolog says so
:- set_prolog_gc_thread(false).
:- use_module(library(odbc)).
:- initialization(main, main).

main([String|_]) :-
    odbc_connect(-, Db, [driver_string(String), alias(db), encoding(utf8)]),
    items(Db), fetching(Db), catalog(Db), transactions(Db), errors(Db),
    odbc_disconnect(Db),
    writeln('done: everything was asked').

tell(What, Value) :- format("~w: ~q~n", [What, Value]).

items(Db) :-
    odbc_query(Db, 'create table pl_item (id integer, name varchar(20), price double precision, day date, note varchar(9000))'),
    odbc_query(Db, 'insert into pl_item values (1, \'apple\', 1.5, \'2026-11-21\', \'short\')', affected(One)),
    tell(inserted, One),
    odbc_prepare(Db, 'insert into pl_item values (?, ?, ?, ?, ?)',
                 [integer, varchar(20), double, date, varchar(9000)], Insert),
    length(Codes, 8000), maplist(=(0'x), Codes), atom_codes(Long, Codes),
    forall(member(Row, [ [2, pear, 0.25, date(2025, 1, 1), Long],
                         [3, '$null$', '$null$', '$null$', '$null$'],
                         [4, fig, 7.0, '$null$', ''] ]),
           ( odbc_execute(Insert, Row, affected(Rows)), tell(rows, Rows) )),
    odbc_free_statement(Insert).

fetching(Db) :-
    forall(odbc_query(Db, 'select id, name, price, day from pl_item order by id', Row), tell(row, Row)),
    forall(odbc_query(Db, 'select note from pl_item where id < 3 order by id', row(Note)),
           ( atom_length(Note, Length), tell(note, Length) )),
    odbc_query(Db, 'select id from pl_item order by id', First),     % the first row only: the cursor is closed early
    tell(first, First), !,
    odbc_prepare(Db, 'select id, name from pl_item where price < ? order by id', [double], Below, [fetch(fetch)]),
    forall(member(Price, [5.0, 99.0]), ( odbc_execute(Below, [Price]), fetched(Below) )),
    odbc_free_statement(Below),
    odbc_query(Db, 'select name from pl_item order by id', Typed, [types([string]), findall(Name, row(Name))]),
    tell(typed, Typed).

fetched(Statement) :-
    odbc_fetch(Statement, Row, next),
    tell(fetched, Row),
    ( Row == end_of_file -> odbc_close_statement(Statement) ; fetched(Statement) ).

catalog(Db) :-
    findall(Name, ( odbc_current_table(Db, Name), sub_atom(Name, 0, _, _, pl_) ), Tables),
    tell(tables, Tables),
    forall(odbc_table_column(Db, pl_item, Column, type(Type)), tell(column, Column-Type)).

transactions(Db) :-
    odbc_set_connection(Db, auto_commit(false)),
    odbc_query(Db, 'delete from pl_item where id = 1'),
    odbc_end_transaction(Db, rollback),
    count(Db, 'still there'),
    odbc_query(Db, 'delete from pl_item where id = 1'),
    odbc_end_transaction(Db, commit),
    odbc_set_connection(Db, auto_commit(true)),
    count(Db, gone).

count(Db, What) :- odbc_query(Db, 'select count(*) from pl_item', row(Count)), tell(What, Count).

errors(Db) :-
    catch(odbc_query(Db, 'select * from nothing', _), error(odbc(State, Native, Text), _), tell('no table', [State, Native, Text])),
    catch(odbc_query(Db, 'not a statement', _), error(odbc(State2, _, _), _), tell('no statement', State2)).
