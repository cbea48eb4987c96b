# unit tests of authority
