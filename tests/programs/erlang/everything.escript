%% What an Erlang program does: a connection in each of several processes, at the same time. Each has an operating system's process
%% of its own, odbcserver. Statements with and without parameters, rows one by one, the columns of a table, transactions, errors.
main([String | _]) ->
    process_flag(trap_exit, true),
    odbc:start(),
    {ok, Connection} = odbc:connect(String, [{auto_commit, on}, {tuple_row, on}]),
    told("create", odbc:sql_query(Connection, "create table erl_item (id integer not null, name varchar(20), price double precision)")),
    Rows = [{{sql_integer, [1, 2, 3]}, {{sql_varchar, 20}, ["apple", "pear", null]}, {sql_double, [1.5, 0.25, null]}}],
    [told("insert", odbc:param_query(Connection, "insert into erl_item values (?, ?, ?)", tuple_to_list(Row))) || Row <- Rows],
    Main = self(),
    Work = fun(Number) ->
        fun() ->
            {ok, Own} = odbc:connect(String, [{auto_commit, off}]),
            Main ! {Number, [odbc:sql_query(Own, "select " ++ integer_to_list(Number) ++ " * price as product from erl_item where id = 1"),
                             odbc:param_query(Own, "select name from erl_item where id = ?", [{sql_integer, [Number]}]),
                             odbc:sql_query(Own, "select nothing from nowhere"),
                             odbc:commit(Own, rollback),
                             odbc:disconnect(Own)]}
        end
    end,
    [spawn(Work(Number)) || Number <- [1, 2, 3]],
    [receive {Number, Told} -> told("process " ++ integer_to_list(Number), Told) end || Number <- [1, 2, 3]],
    told("columns", odbc:describe_table(Connection, "erl_item")),
    told("count", odbc:select_count(Connection, "select id, name, price from erl_item order by id")),
    [told("row", odbc:Step(Connection)) || Step <- [first, next, next, prev, last, next]],
    told("some", odbc:select(Connection, {absolute, 2}, 2)),
    told("updated", odbc:sql_query(Connection, "update erl_item set price = 2 where id > 1")),
    told("disconnect", odbc:disconnect(Connection)),
    io:format("done: everything was asked~n").

told(What, Value) -> io:format("~s: ~p~n", [What, Value]).
