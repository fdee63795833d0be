"""A cell's checks as tests of a user's suite: judged once a session, told once for every cause."""
