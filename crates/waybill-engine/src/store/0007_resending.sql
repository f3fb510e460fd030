-- Callbacks that need somebody, in the order in which they are sent again: all of them, and those of one profile. An upload
-- whose callback went well is in neither.
CREATE INDEX uploads_bad_in_order ON uploads (no) WHERE callback_bad = 1;
CREATE INDEX uploads_bad_of_profile ON uploads (callback_profile, no) WHERE callback_bad = 1;
