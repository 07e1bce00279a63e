-- What is known of the time, so that a wrong clock removes nothing: one row, once something has been
-- revoked or removed. Both in Unix seconds.
CREATE TABLE "%sweep_clock" (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    trusted INTEGER NOT NULL,
    -- Since when a clock far ahead is doubted.
    doubted INTEGER
) STRICT;
