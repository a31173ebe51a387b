# What an R program on RODBC does: queries with and without a result, rows in blocks, data frames that become tables, columns,
# catalog, transactions, errors.
library(RODBC)

db <- odbcDriverConnect(commandArgs(trailingOnly = TRUE)[1], believeNRows = FALSE, colQuote = "", tabQuote = "")
tell <- function(what, value) cat(what, ": ", paste(format(value, trim = TRUE, digits = 15), collapse = " | "), "\n", sep = "")
rows <- function(what, frame) {
  if (is.character(frame)) return(tell(what, frame))
  for (at in seq_len(nrow(frame))) tell(what, vapply(frame[at, , drop = FALSE], function(cell) {
    text <- as.character(cell)
    if (is.na(text)) "NA" else if (nchar(text) > 100) paste(nchar(text), "characters") else text
  }, ""))
}

sqlQuery(db, "create table r_item (id integer, name varchar(20), price double precision, day date, note varchar(9000))")
sqlQuery(db, "insert into r_item values (1, 'apple', 1.5, '2026-11-21', 'short')")
sqlQuery(db, "insert into r_item values (2, 'pear', 0.25, '2025-01-01', null)")
sqlQuery(db, paste0("insert into r_item values (3, null, null, null, '", strrep("x", 8000), "')"))
all <- sqlQuery(db, "select * from r_item order by id", stringsAsFactors = FALSE)
tell("columns", names(all))
rows("row", all)
tell("types", vapply(all, function(column) class(column)[1], ""))
# two rows at a time
rows("block", sqlQuery(db, "select id, name from r_item order by id", max = 2, rows_at_time = 2, as.is = TRUE))
repeat {
  block <- sqlGetResults(db, max = 2, as.is = TRUE)
  if (!is.data.frame(block) || nrow(block) == 0) break
  rows("block", block)
}
# one prepared insert, executed for each row of a data frame
fruit <- data.frame(name = c("fig", "kiwi", "plum"), price = c(0.4, 2.5, NA), stringsAsFactors = FALSE)
sqlSave(db, fruit, "r_fruit", rownames = FALSE, varTypes = c(name = "varchar(20)", price = "double precision"))
rows("saved", sqlFetch(db, "r_fruit", stringsAsFactors = FALSE))
rows("counted", sqlQuery(db, "select count(*) from r_fruit where price < 5"))
columns <- sqlColumns(db, "r_item")
tell("catalog", columns$COLUMN_NAME)
tables <- sqlTables(db)
tell("tables", sort(tables$TABLE_NAME[grepl("^r_", tables$TABLE_NAME)]))
odbcSetAutoCommit(db, FALSE)
sqlQuery(db, "delete from r_item where id = 1")
odbcEndTran(db, commit = FALSE)
rows("still there", sqlQuery(db, "select count(*) from r_item"))
sqlQuery(db, "delete from r_item where id = 1")
odbcEndTran(db, commit = TRUE)
odbcSetAutoCommit(db, TRUE)
rows("gone", sqlQuery(db, "select count(*) from r_item"))
tell("no table", sqlQuery(db, "select * from nothing"))
invisible(odbcQuery(db, "select * from nothing either"))
tell("error", odbcGetErrMsg(db))
odbcClose(db)
cat("done: everything was asked\n")
