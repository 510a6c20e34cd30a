"""Users and access rules for a test's Mosquitto."""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from mqtt.broker import program

__all__ = ["roles", "rules", "users"]

_ROUNDS = 101  # of the password's hash, Mosquitto's own number


def users(folder, **passwords):
    """Write a file of users; return the settings that name it."""
    file = folder / "users"
    file.touch(mode=0o600)
    beside = Path(program()).parent.parent / "bin" / "mosquitto_passwd"
    tool = shutil.which("mosquitto_passwd") or beside
    for name, password in passwords.items():
        subprocess.run([tool, "-b", file, name, password], check=True, capture_output=True)
    return [f"password_file {file}"]


def rules(folder, text):
    """Write a file of access rules; return the settings that name it.

    Mosquitto grants every subscription of such a file's users, and then sends them nothing that
    they may not read.
    """
    file = folder / "rules"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return [f"acl_file {file}"]


def roles(folder, password, **allowed):
    """Let each user, by name, do some things; return the settings for that.

    What is allowed is a dict of ``subscribePattern`` and ``publishClientSend`` to topic filters. Unlike
    `rules` this refuses a subscription in so many words.
    """
    config = {
        "defaultACLAccess": {"publishClientReceive": True, "unsubscribe": True},
        "clients": [
            {"username": user, **_hashed(password), "roles": [{"rolename": user}]}
            for user in allowed
        ],
        "roles": [{"rolename": user, "acls": _acls(what)} for user, what in allowed.items()],
    }
    file = folder / "roles.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    return [f"plugin {plugin}", f"plugin_opt_config_file {file}"]


def _acls(allowed):
    return [
        {"acltype": kind, "topic": topic, "allow": True, "priority": 0}
        for kind, topics in allowed.items()
        for topic in topics
    ]


def _hashed(password):
    salt = b"twelve bytes"
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return {
        "password": base64.b64encode(digest).decode(),
        "salt": base64.b64encode(salt).decode(),
        "iterations": _ROUNDS,
    }
