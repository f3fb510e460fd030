"""A window whose only button can be dragged away: it carries the files named on the command line."""

import sys

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

uris = [GLib.filename_to_uri(path, None) for path in sys.argv[1:]]
button = Gtk.Button(label=f"{len(uris)} files")
button.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
button.drag_source_add_uri_targets()
button.connect("drag-data-get", lambda _button, _context, data, _info, _time: data.set_uris(uris))
window = Gtk.Window(title="Waybill drag source")
window.set_default_size(180, 120)
window.add(button)
window.connect("destroy", Gtk.main_quit)
window.show_all()
Gtk.main()
