SELECT 1 AS num
SELECT 1 AS one, 20000000000 AS big, 1.5::float8 AS part, true AS flag
