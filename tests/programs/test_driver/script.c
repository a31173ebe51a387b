/* Statement texts: what the driver is told to do. */
#include "test_driver.h"

static SQLRETURN add(struct statement *stmt, enum kind kind, const char *words)
{
    if (stmt->result_count == MOST_RESULTS)
        return say(stmt, SQL_ERROR, "HY000", 0, "too many results");
    struct result *result = &stmt->results[stmt->result_count++];
    memset(result, 0, sizeof *result);
    result->kind = kind;
    if (kind == WARNING || kind == FAILURE)
        sscanf(words, "%5s %599[^;]", result->state, result->text);
    else
        result->number = atol(words);
    return SQL_SUCCESS;
}

static SQLRETURN rows(struct statement *stmt, const char *words) { return add(stmt, ROWS, words); }
static SQLRETURN count(struct statement *stmt, const char *words) { return add(stmt, COUNT, words); }
static SQLRETURN warns(struct statement *stmt, const char *words) { return add(stmt, WARNING, words); }
static SQLRETURN fails(struct statement *stmt, const char *words) { return add(stmt, FAILURE, words); }
static SQLRETURN outputs(struct statement *stmt, const char *words) { return add(stmt, OUTPUTS, words); }

static SQLRETURN polls(struct statement *stmt, const char *words)
{
    stmt->polls = atoi(words);
    return SQL_SUCCESS;
}

static struct value *value_of(struct statement *stmt, const char *words, int *read)
{
    int number = 0;
    sscanf(words, "%d %n", &number, read);
    if (number < 1 || number > MOST_PARAMETERS)
        return NULL;
    struct value *value = &stmt->values[number - 1];
    free(value->text);
    value->text = NULL, value->length = 0;
    return value;
}

static SQLRETURN text_value(struct statement *stmt, const char *words)
{
    int read = 0;
    struct value *value = value_of(stmt, words, &read);
    if (!value)
        return say(stmt, SQL_ERROR, "07009", 0, "no such parameter");
    value->text = strndup(words + read, strcspn(words + read, ";"));
    value->length = strlen(value->text);
    return SQL_SUCCESS;
}

static SQLRETURN long_value(struct statement *stmt, const char *words)
{
    int read = 0;
    struct value *value = value_of(stmt, words, &read);
    if (!value)
        return say(stmt, SQL_ERROR, "07009", 0, "no such parameter");
    value->length = strtoul(words + read, NULL, 10);
    value->text = malloc(value->length + 1);
    for (size_t i = 0; i < value->length; i++)
        value->text[i] = "abcdefghij"[i % 10];
    value->text[value->length] = 0;
    return SQL_SUCCESS;
}

static SQLRETURN null_value(struct statement *stmt, const char *words)
{
    int read = 0;
    return value_of(stmt, words, &read) ? SQL_SUCCESS : say(stmt, SQL_ERROR, "07009", 0, "no such parameter");
}

static SQLRETURN returns(struct statement *stmt, const char *words) { return add(stmt, CODE, words); }

static SQLRETURN breaks(struct statement *stmt, const char *words)
{
    stmt->breaks = atol(words);
    return SQL_SUCCESS;
}

static SQLRETURN clings(struct statement *stmt, const char *words)
{
    (void)words;
    return stmt->clings = 2, SQL_SUCCESS;
}

static SQLRETURN deaf(struct statement *stmt, const char *words)
{
    (void)words;
    return stmt->deaf = 1, SQL_SUCCESS;
}

static SQLRETURN waits(struct statement *stmt, const char *words)
{
    (void)words;
    return stmt->waits = 1, SQL_SUCCESS;
}

static SQLRETURN lengths(struct statement *stmt, const char *words)
{
    (void)words;
    return stmt->lengths = 1, SQL_SUCCESS;
}

static SQLRETURN halves(struct statement *stmt, const char *words)
{
    (void)words;
    return stmt->halves = 1, SQL_SUCCESS;
}

static SQLRETURN miscounts(struct statement *stmt, const char *words)
{
    return stmt->miscounts = atol(words), SQL_SUCCESS;
}

static const struct {
    const char *word;
    SQLRETURN (*take)(struct statement *stmt, const char *words);
} directives[] = {
    {"rows", rows},   {"count", count}, {"warns", warns},      {"fails", fails},     {"outputs", outputs},
    {"polls", polls}, {"?", NULL},      {"value", text_value}, {"long", long_value}, {"null", null_value},
    {"returns", returns}, {"breaks", breaks}, {"clings", clings}, {"deaf", deaf},
    {"waits", waits}, {"halves", halves}, {"lengths", lengths}, {"miscounts", miscounts},
};

SQLRETURN read_script(struct statement *stmt, const char *text)
{
    stmt->result_count = stmt->markers = 0;
    stmt->breaks = stmt->clings = stmt->deaf = stmt->waits = stmt->halves = stmt->lengths = stmt->miscounts = 0;
    stmt->polls = stmt->connection->polls;
    for (const char *at = text; *at; at++)
        stmt->markers += *at == '?';
    for (const char *at = text; at && *at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
        at += strspn(at, " ");
        size_t known = sizeof directives / sizeof *directives, length = strcspn(at, " ;"), i = 0;
        while (i < known && (strlen(directives[i].word) != length || strncmp(at, directives[i].word, length)))
            i++;
        if (length == 0)
            continue;
        if (i == known)
            return say(stmt, SQL_ERROR, "42000", 77, "no such directive");
        const char *words = at + length + strspn(at + length, " ");
        SQLRETURN rc = directives[i].take ? directives[i].take(stmt, words) : SQL_SUCCESS;
        if (!SQL_SUCCEEDED(rc))
            return rc;
    }
    return SQL_SUCCESS;
}
