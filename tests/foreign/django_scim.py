"""A SCIM server that is not ours: django-scim2-server over Django's own users and groups, in memory.

usage: python django_scim.py TOKEN     (it says where it listens)
"""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

TOKEN = sys.argv[1]
urlpatterns = [path("scim/v2/", include("django_scim2_server.urls"))]


def allowed(request):
    return request.headers.get("Authorization") == f"Bearer {TOKEN}"


class Quiet(WSGIRequestHandler):
    def log_message(self, *words):
        pass


settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_scim2_server"],
    ROOT_URLCONF="__main__",
    SCIM2_SERVER_AUTH_CHECK="__main__.allowed",
    SECRET_KEY="of no use here",
    USE_TZ=True,
)
django.setup()
call_command("migrate", verbosity=0)
with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
    print(f"Serving SCIM on http://127.0.0.1:{server.server_port}/scim/v2", flush=True)
    server.serve_forever()
