# unit tests of vcard
