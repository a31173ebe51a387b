/* super8's interface for test frameworks: which cassette the connects of this process record or replay.
 *
 * Both libraries, libsuper8.so and libsuper8a.so, export these functions beside ODBC's; either's are for all connections
 * of the process. Open one in the directory that odbcinst.ini names, with RTLD_LOCAL: dlopen gives the instance that the
 * driver manager has. docs/c-interface.md has examples.
 *
 * Every function may be called on any thread. Texts are UTF-8 and end with a NUL.
 */
#ifndef SUPER8_H
#define SUPER8_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SUPER8_OK 0
#define SUPER8_UNPLAYED 1 /* super8_eject: recorded commands were not played */
#define SUPER8_MISMATCH 2 /* super8_eject: the program asked for something else than was recorded */
#define SUPER8_UNUSED 3   /* super8_eject: nothing connected while the cassette was inserted */
#define SUPER8_NOT_REPLAYED 4 /* super8_eject: the same, and the cassette has commands to replay */
#define SUPER8_ERROR (-1)

/* Puts a cassette on top of the process's stack: it decides for the connects that follow, on every thread, before the
 * environment does and after keywords of a connection string. Connections that are open stay with theirs.
 *
 * cassette  its directory; a relative path holds for the working directory now
 * mode      "record", "replay", "once" or "off": a default, which SUPER8_MODE in the environment overrides
 * options   further settings as in a connection string, "Super8Order=connection;Super8Log=report.txt", or NULL
 *
 * SUPER8_OK, or SUPER8_ERROR: a cassette that cannot be replayed is an error here and not at the connect. One that is not there is
 * an error of the connect: a test may use no database. */
int super8_insert(const char *cassette, const char *mode, const char *options);

/* Takes a cassette off the stack for a while, by the name that it was inserted with or by its directory; NULL is the one that was
 * inserted last. It has not ended: it is neither published nor judged, and its open connections stay. super8_insert puts it back on
 * top; by its directory it can be ejected or discarded as it is.
 *
 * SUPER8_OK, or SUPER8_ERROR: it is not on the stack. */
int super8_set_aside(const char *cassette);

/* Takes a cassette out, by the name that it was inserted with or by its directory; NULL is the one that was inserted last. A
 * recording is published. A later connect that names the cassette again begins anew. Close the connections first.
 *
 * SUPER8_OK, SUPER8_UNPLAYED, SUPER8_MISMATCH, SUPER8_UNUSED, SUPER8_NOT_REPLAYED or SUPER8_ERROR; super8_last_error has the list
 * or the report. */
int super8_eject(const char *cassette);

/* The same for a test that failed. A recording goes to the directory NAME.failed, and the cassette before it stays; of a replay
 * nothing is said. Ejecting a later recording of the cassette removes NAME.failed.
 *
 * SUPER8_OK, or SUPER8_ERROR: the recording could not be moved, or the environment named its cassette, and it is in its place
 * already. */
int super8_discard(const char *cassette);

/* How many commands of a cassette that is replayed were not played so far, or -1. NULL is the one inserted last. */
long long super8_unplayed(const char *cassette);

/* Copies what the last call on this thread that did not return SUPER8_OK had to say into a buffer of `capacity` bytes,
 * NUL included; a text that does not fit is cut. The length of the whole text in bytes, without the NUL. */
size_t super8_last_error(char *buffer, size_t capacity);

/* The version, such as "0.1.0". It stays; do not free it. */
const char *super8_version(void);

#ifdef __cplusplus
}
#endif

#endif
