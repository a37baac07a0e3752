"""`diptych serve`: a page and a JSON API over both frameworks' translations, each framework in a process of its own.

server.py       listens, starts everything, ends in good order
application.py  the routes
schemas.py      what goes in and comes out, as OpenAPI describes it
body.py         a request's body, within its limits
service.py      a request, asked of every framework; the bounded queue
watched.py      a framework's process: asked, watched, started again
bounded.py      what runs in that process, and stops when a sentence's time is over
gate.py         which Host is answered, and what a browser may do with the answer
connection.py   slow clients are cut off
limits.py       every limit

The page itself, HTML, CSS and JavaScript as they are sent, is in `pages/serve/`.
"""
