/* ODBC functions of a library that is opened at run time, by their own names: include this before report.h. */
#ifndef BY_LIBRARY_H
#define BY_LIBRARY_H

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sql.h>
#include <sqlext.h>

static void *loaded;

static inline void open_library(const char *path)
{
    loaded = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!loaded)
        fprintf(stderr, "%s\n", dlerror()), exit(1);
}

static inline void *function(const char *name)
{
    void *address = dlsym(loaded, name);
    if (!address)
        printf("no function %s\n", name), exit(1);
    return address;
}

#define F(name) ((typeof(name) *)function(#name))

/* A macro is not expanded inside itself: the name in F is the function's. */
#define SQLAllocHandle(...) F(SQLAllocHandle)(__VA_ARGS__)
#define SQLBindCol(...) F(SQLBindCol)(__VA_ARGS__)
#define SQLBindParameter(...) F(SQLBindParameter)(__VA_ARGS__)
#define SQLCancel(...) F(SQLCancel)(__VA_ARGS__)
#define SQLDescribeCol(...) F(SQLDescribeCol)(__VA_ARGS__)
#define SQLDisconnect(...) F(SQLDisconnect)(__VA_ARGS__)
#define SQLDriverConnect(...) F(SQLDriverConnect)(__VA_ARGS__)
#define SQLEndTran(...) F(SQLEndTran)(__VA_ARGS__)
#define SQLExecDirect(...) F(SQLExecDirect)(__VA_ARGS__)
#define SQLExecute(...) F(SQLExecute)(__VA_ARGS__)
#define SQLFetch(...) F(SQLFetch)(__VA_ARGS__)
#define SQLFreeHandle(...) F(SQLFreeHandle)(__VA_ARGS__)
#define SQLFreeStmt(...) F(SQLFreeStmt)(__VA_ARGS__)
#define SQLGetData(...) F(SQLGetData)(__VA_ARGS__)
#define SQLGetDiagField(...) F(SQLGetDiagField)(__VA_ARGS__)
#define SQLGetDiagRec(...) F(SQLGetDiagRec)(__VA_ARGS__)
#define SQLMoreResults(...) F(SQLMoreResults)(__VA_ARGS__)
#define SQLNumResultCols(...) F(SQLNumResultCols)(__VA_ARGS__)
#define SQLParamData(...) F(SQLParamData)(__VA_ARGS__)
#define SQLPrepare(...) F(SQLPrepare)(__VA_ARGS__)
#define SQLPutData(...) F(SQLPutData)(__VA_ARGS__)
#define SQLRowCount(...) F(SQLRowCount)(__VA_ARGS__)
#define SQLSetConnectAttr(...) F(SQLSetConnectAttr)(__VA_ARGS__)
#define SQLSetEnvAttr(...) F(SQLSetEnvAttr)(__VA_ARGS__)
#define SQLSetStmtAttr(...) F(SQLSetStmtAttr)(__VA_ARGS__)
#define SQLTables(...) F(SQLTables)(__VA_ARGS__)

#endif
