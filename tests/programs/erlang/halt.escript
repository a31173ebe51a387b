%% Erlang works with a database through a process of its own, odbcserver, which is ended when the emulator halts. What was done
%% last is the argument.
main([Last]) ->
    odbc:start(),
    {ok, Connection} = odbc:connect("DSN=shop", [{auto_commit, off}]),
    io:format("~p~n", [odbc:sql_query(Connection, "select name, price from fruit order by price")]),
    case Last of
        "query" -> ok;
        "rows" ->
            odbc:select_count(Connection, "select price from fruit where name = 'pear'"),
            io:format("~p~n~p~n", [odbc:next(Connection), odbc:next(Connection)]);
        "parameters" ->
            io:format("~p~n", [odbc:param_query(Connection, "select ?", [{sql_integer, [7]}])]);
        "commit" -> odbc:commit(Connection, commit);
        "disconnect" -> odbc:disconnect(Connection)
    end,
    halt(0).
