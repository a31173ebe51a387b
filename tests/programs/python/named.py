"""One connection: under an inserted cassette, if one is given, and with further keywords. Which place has its say?"""

import contextlib

from report import EXTRA, connect, done, tell
from super8_cassettes import Cassettes

library, inserted, options, keywords = EXTRA
cassette = Cassettes(library).use(inserted, "", options) if inserted else contextlib.nullcontext()
with cassette:
    connection = connect(keywords, autocommit=True)
    tell("seven", connection.execute("select 7").fetchval())
    connection.close()
done()
