# What whoever distributes Tessera needs; not installed.
EXTRA_DIST += tools/README tools/licence
