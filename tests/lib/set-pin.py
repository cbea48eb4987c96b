#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""set-pin.py MODULE OLD NEW: C_SetPIN without C_Login, which pkcs11-tool always makes first.

Works on the first slot with a token; prints the CKR_ value as a number.
"""

import ctypes
import sys

# Places in CK_FUNCTION_LIST, after its version.
INITIALIZE, GET_SLOT_LIST, SET_PIN, OPEN_SESSION = 0, 4, 11, 12
CKF_SERIAL_SESSION, CKF_RW_SESSION = 4, 2


class FunctionList(ctypes.Structure):
    _fields_ = [("version", ctypes.c_ubyte * 2), ("functions", ctypes.c_void_p * 68)]


def load(path):
    functions = ctypes.POINTER(FunctionList)()
    ctypes.CDLL(path).C_GetFunctionList(ctypes.byref(functions))

    def call(place, *arguments):
        prototype = ctypes.CFUNCTYPE(ctypes.c_ulong, *map(type, arguments))
        return prototype(functions.contents.functions[place])(*arguments)
    return call


def main(path, old, new):
    call = load(path)
    number, pointer, text = ctypes.c_ulong, ctypes.c_void_p, ctypes.c_char_p
    slots, count, session = (number * 16)(), number(16), number()
    for value in (call(INITIALIZE, pointer()),
                  call(GET_SLOT_LIST, ctypes.c_ubyte(1), pointer(ctypes.addressof(slots)),
                       pointer(ctypes.addressof(count))),
                  call(OPEN_SESSION, number(slots[0]), number(CKF_SERIAL_SESSION | CKF_RW_SESSION),
                       pointer(), pointer(), pointer(ctypes.addressof(session)))):
        if value:
            sys.exit(f"CKR {value:#x} before C_SetPIN")
    print(hex(call(SET_PIN, session, text(old.encode()), number(len(old)), text(new.encode()),
                   number(len(new)))))


main(*sys.argv[1:])
