/* super8's interface for test frameworks. It says which cassette the connects of this process record or replay.
 *
 * libsuper8.so and libsuper8a.so both export these functions next to ODBC's. It does not matter which of the two you
 * call: a call holds for all connections of the process. Open the library in the directory that odbcinst.ini names, with
 * RTLD_LOCAL, so that dlopen returns the instance that the driver manager has loaded. docs/c-interface.md has examples.
 *
 * You can call every function on any thread. Strings are UTF-8 and end with a NUL.
 */
#ifndef SUPER8_H
#define SUPER8_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SUPER8_OK 0
#define SUPER8_UNPLAYED 1     /* super8_eject: the program did not play all recorded commands */
#define SUPER8_MISMATCH 2     /* super8_eject: the program asked for something else than was recorded */
#define SUPER8_UNUSED 3       /* super8_eject: nothing connected while the cassette was inserted */
#define SUPER8_NOT_REPLAYED 4 /* super8_eject: nothing connected, but the cassette has commands to replay */
#define SUPER8_ERROR (-1)

/* Inserts a cassette: puts it on top of the process's stack. The connects that follow, on every thread, use the cassette
 * on top. It takes precedence over the environment, but not over keywords of a connection string. Connections that are
 * already open keep their cassette.
 *
 * cassette  its directory; a relative path is relative to the current working directory
 * mode      "record", "replay", "once" or "off"; SUPER8_MODE in the environment overrides it
 * options   further settings as in a connection string, "Super8Order=connection;Super8Log=report.txt", or NULL
 *
 * Returns SUPER8_OK or SUPER8_ERROR. A cassette that cannot be replayed is an error of this call. A cassette that does not
 * exist is an error only of the connect, because a test need not use a database. */
int super8_insert(const char *cassette, const char *mode, const char *options);

/* Sets a cassette aside: takes it off the stack for a while. `cassette` is the name that it was inserted with, or its
 * directory; NULL means the one that was inserted last. The cassette is not published or judged, and its open connections
 * keep it. super8_insert puts it back on top. While it is aside, super8_eject and super8_discard find it by its directory.
 *
 * Returns SUPER8_OK, or SUPER8_ERROR if it is not on the stack. */
int super8_set_aside(const char *cassette);

/* Ejects a cassette: takes it off the stack for good, publishes a recording, and judges a replay. `cassette` is the name
 * that it was inserted with, or its directory; NULL means the one that was inserted last. Close its connections first. A
 * later connect that names the same cassette starts from the beginning.
 *
 * Returns SUPER8_OK, SUPER8_UNPLAYED, SUPER8_MISMATCH, SUPER8_UNUSED, SUPER8_NOT_REPLAYED or SUPER8_ERROR.
 * super8_last_error returns the list of unplayed commands or the report. */
int super8_eject(const char *cassette);

/* Ejects a cassette after a test that failed. A recording is moved to the directory NAME.failed, so that the earlier
 * cassette stays. A replay is not judged. NAME.failed is removed when a later recording of the cassette is ejected.
 *
 * Returns SUPER8_OK. Returns SUPER8_ERROR if the recording cannot be moved, or if it is in its place already because the
 * environment named its cassette. */
int super8_discard(const char *cassette);

/* Returns how many commands of a cassette that is replayed the program has not played yet, or -1 if there is no such
 * cassette or it cannot be read. NULL means the one that was inserted last. */
long long super8_unplayed(const char *cassette);

/* Copies the message of the last call on this thread that did not return SUPER8_OK into a buffer of `capacity` bytes,
 * including the NUL. A message that does not fit is truncated. Returns the length of the whole message in bytes, without
 * the NUL. */
size_t super8_last_error(char *buffer, size_t capacity);

/* Returns the version, such as "0.1.0". The string is static: do not free it. */
const char *super8_version(void);

#ifdef __cplusplus
}
#endif

#endif
