/* Text in and out: UTF-8 inside, UTF-16 through the W functions; connection strings. */
#include "test_driver.h"

static size_t units(const SQLWCHAR *text)
{
    size_t count = 0;
    while (text[count])
        count++;
    return count;
}

/* A copy the caller frees. */
char *from_application(const void *text, SQLINTEGER length, enum width width)
{
    if (!text)
        return strdup("");
    if (width == NARROW)
        return length == SQL_NTS ? strdup(text) : strndup(text, length);
    const SQLWCHAR *from = text;
    size_t count = length == SQL_NTS ? units(from) : (size_t)length;
    char *copy = malloc(3 * count + 1), *to = copy;
    for (size_t i = 0; i < count; i++) {
        unsigned point = from[i];
        if (point >= 0xd800 && point < 0xdc00 && i + 1 < count)
            point = 0x10000 + ((point - 0xd800) << 10) + (from[++i] - 0xdc00);
        if (point < 0x80)
            *to++ = point;
        else if (point < 0x800)
            *to++ = 0xc0 | point >> 6, *to++ = 0x80 | (point & 0x3f);
        else if (point < 0x10000)
            *to++ = 0xe0 | point >> 12, *to++ = 0x80 | (point >> 6 & 0x3f), *to++ = 0x80 | (point & 0x3f);
        else
            *to++ = 0xf0 | point >> 18, *to++ = 0x80 | (point >> 12 & 0x3f), *to++ = 0x80 | (point >> 6 & 0x3f), *to++ = 0x80 | (point & 0x3f);
    }
    *to = 0;
    return copy;
}

static size_t widened(const char *text, SQLWCHAR *to)
{
    SQLWCHAR *start = to;
    for (const unsigned char *from = (const unsigned char *)text; *from;) {
        unsigned point = *from;
        int more = point < 0x80 ? 0 : point < 0xe0 ? 1 : point < 0xf0 ? 2 : 3;
        point = more == 0 ? point : point & (0x3f >> more);
        for (from++; more; more--)
            point = point << 6 | (*from++ & 0x3f);
        if (point > 0xffff)
            *to++ = 0xd800 + ((point - 0x10000) >> 10), *to++ = 0xdc00 + ((point - 0x10000) & 0x3ff);
        else
            *to++ = point;
    }
    *to = 0;
    return to - start;
}

int give(const char *text, void *buffer, SQLINTEGER capacity, SQLINTEGER *length, enum width width)
{
    size_t size = width == WIDE ? sizeof(SQLWCHAR) : 1;
    SQLWCHAR *wide = malloc((strlen(text) + 1) * sizeof(SQLWCHAR));
    size_t count = width == WIDE ? widened(text, wide) : strlen(text);
    const void *from = width == WIDE ? (const void *)wide : text;
    if (length)
        *length = count;
    int cut = buffer && (SQLINTEGER)count >= capacity;
    if (buffer && capacity > 0) {
        size_t most = cut ? (size_t)capacity - 1 : count;
        memcpy(buffer, from, most * size);
        memset((char *)buffer + most * size, 0, size);
    }
    free(wide);
    return cut;
}

SQLRETURN give_short(void *handle, const char *text, void *buffer, SQLINTEGER capacity, SQLSMALLINT *length, enum width width)
{
    SQLINTEGER all;
    int cut = give(text, buffer, capacity, &all, width);
    if (length)
        *length = all;
    return cut ? say(handle, SQL_SUCCESS_WITH_INFO, "01004", 0, "data was cut off") : SQL_SUCCESS;
}

/* The same where capacity and length are in bytes. */
SQLRETURN give_bytes(void *handle, const char *text, void *buffer, SQLINTEGER capacity, SQLSMALLINT *length, enum width width)
{
    SQLINTEGER size = width == WIDE ? sizeof(SQLWCHAR) : 1;
    SQLRETURN rc = give_short(handle, text, buffer, capacity / size, length, width);
    if (length)
        *length *= size;
    return rc;
}

/* The value of a keyword of a connection string, without braces; null where it is not there. */
const char *keyword(const char *string, const char *name, char *value, size_t room)
{
    size_t length = strlen(name);
    for (const char *at = string; at && *at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
        if (strncasecmp(at, name, length) || at[length] != '=')
            continue;
        const char *from = at + length + 1;
        size_t count = *from == '{' ? (from++, strcspn(from, "}")) : strcspn(from, ";");
        snprintf(value, room, "%.*s", (int)count, from);
        return value;
    }
    return NULL;
}
