"""moto_server, which remembers what it else looks up anew for every request, does one thing at a time, and ends when whoever started it does."""

import functools
import os
import sys
import threading
from xml.sax.saxutils import escape, quoteattr

import moto.backends
import moto.core.responses
import moto.core.serialize
import moto.kms.models
import moto.moto_server.werkzeug_app
import werkzeug.serving

services = tuple(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: services
moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)

# A key for the disks of every world, a tenth of a second of arithmetic each; nothing is ever encrypted with it.
moto.kms.models.generate_private_key = functools.cache(moto.kms.models.generate_private_key)

Picker = moto.core.serialize.AttributePicker
Context = moto.core.serialize.AttributePickerContext
# Of every answer half was: by which names a member of a shape may be known to an object. That is the same for all of a class.
for picker in (Picker, moto.core.serialize.XFormedAttributePicker):

    def known(self, context, compute=picker.get_possible_keys, own=picker):
        if type(self) is not own:
            return compute(self, context)
        names = context.shape.__dict__.setdefault("known_names", {})
        of = (own, tuple(self.alias_providers), type(context.obj), context.key)
        if of not in names:
            names[of] = tuple(compute(self, context))
        return names[of]

    picker.get_possible_keys = known


def element(name, value, out):
    """What xmltodict writes of strings, dictionaries and lists, without the events of a parser."""
    if isinstance(value, (list, tuple)):
        for one in value:
            element(name, one, out)
        return
    if not isinstance(value, dict):
        text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
        out.append(f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>")
        return
    attributes = "".join(f" {key[1:]}={quoteattr(str(one))}" for key, one in value.items() if key[0] == "@")
    out.append(f"<{name}{attributes}>")
    for key, one in value.items():
        if key == "#text":
            out.append(escape(str(one)))
        elif key[0] != "@":
            element(key, one, out)
    out.append(f"</{name}>")


def body(self, given):
    out = ['<?xml version="1.0" encoding="utf-8"?>\n']
    for name, value in given.items():
        element(name, value, out)
    return "".join(out)


moto.core.serialize.EC2Serializer._serialize_body = body


turn = threading.Lock()
answer = moto.moto_server.werkzeug_app.DomainDispatcherApplication.__call__


def one_by_one(self, environ, start):
    """Its conditional writes look first and write then: what two threads do at once, AWS does not."""
    with turn:
        return answer(self, environ, start)


moto.moto_server.werkzeug_app.DomainDispatcherApplication.__call__ = one_by_one


# Nobody reads it.
werkzeug.serving.WSGIRequestHandler.log_request = lambda *_, **__: None


def watch():
    while os.read(0, 1):
        pass
    os._exit(0)


threading.Thread(target=watch, daemon=True).start()

from moto.server import main  # noqa: E402

sys.exit(main())
