# Monkey patching. Which calls let other greenlets run after gevent's patch_all, and which do not.
from time import sleep as imported_before

from gevent import monkey

monkey.patch_all()

import hashlib
import os
import subprocess
import tempfile
import time

import gevent
import gevent.hub


def beside(name, work):
    latest = 0

    def heartbeat():
        nonlocal latest
        while True:
            due = time.monotonic() + 0.02
            gevent.sleep(0.02)
            latest = max(latest, time.monotonic() - due)

    beat = gevent.spawn(heartbeat)
    gevent.sleep(0.04)
    work()
    gevent.sleep(0.04)
    beat.kill()
    print(f"{name:34} others waited for up to {latest * 1000:3.0f} ms")


def count():
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        pass


def open_fifo():
    with tempfile.TemporaryDirectory() as folder:
        fifo = os.path.join(folder, "fifo")
        os.mkfifo(fifo)
        writer = subprocess.Popen(["sh", "-c", 'sleep 0.3; echo tea > "$0"', fifo])
        with open(fifo) as file:
            file.read()
        writer.wait()


# #region calls
beside("time.sleep(0.3)", lambda: time.sleep(0.3))
beside("sleep, imported before the patch", lambda: imported_before(0.3))
beside("counting", count)
beside("pbkdf2_hmac, written in C", lambda: hashlib.pbkdf2_hmac("sha256", b"tea", b"salt", 1_000_000))
beside("open of a FIFO", open_fifo)
# #endregion calls
print("names are looked up by", type(gevent.get_hub().resolver))
