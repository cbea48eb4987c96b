# unit tests of audit
