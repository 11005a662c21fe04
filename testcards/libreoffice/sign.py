# Makes a document and signs it with LibreOffice's own code, through the C
# interface LibreOfficeKit: there is no command for it.
# usage: sign.py PROGRAM-DIRECTORY PROFILE SOURCE TARGET FORMAT CERTIFICATE KEY [CA...]
# Source is a text; certificates are DER, the key is PKCS #8 DER.
import ctypes
import os
import sys

program, profile, source, target, kind, certificate, key = sys.argv[1:8]

# Places in the tables of functions, LibreOfficeKit.h of LibreOffice 7.4.
DOCUMENT_LOAD, DESTROY, SAVE_AS, INITIALIZE = 2, 1, 2, 13
INSERT_CERTIFICATE, ADD_CERTIFICATE = 44, 45

pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int


def call(this, place, result, *arguments):
    table = ctypes.cast(this, ctypes.POINTER(pointer))[0]
    function = ctypes.cast(table, ctypes.POINTER(pointer))[place]
    types = [pointer] + [number if isinstance(a, int) else text for a in arguments]
    return ctypes.CFUNCTYPE(result, *types)(function)(this, *arguments)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def url(path):
    return ("file://" + path).encode()


library = ctypes.CDLL(program + "/libmergedlo.so", mode=ctypes.RTLD_GLOBAL)
library.libreofficekit_hook_2.restype = pointer
library.libreofficekit_hook_2.argtypes = [text, text]
office = library.libreofficekit_hook_2(program.encode(), url(profile))
if not office:
    sys.exit("LibreOffice does not start")


def load(path):
    document = call(office, DOCUMENT_LOAD, pointer, url(path))
    if not document:
        sys.exit("cannot load " + path)
    return document


document = load(source)
if not call(document, SAVE_AS, number, url(target), kind.encode(), b""):
    sys.exit("cannot save as " + kind)
call(document, DESTROY, None)
document = load(target)
call(document, INITIALIZE, None, b"{}")
for ca in sys.argv[8:]:
    der = read(ca)
    if not call(document, ADD_CERTIFICATE, ctypes.c_bool, der, len(der)):
        sys.exit("cannot add " + ca)
der, private = read(certificate), read(key)
if not call(document, INSERT_CERTIFICATE, ctypes.c_bool, der, len(der), private, len(private)):
    sys.exit("cannot sign")
sys.stdout.flush()
os._exit(0)  # the library does not survive an orderly end
