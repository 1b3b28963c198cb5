"""What is compiled before the first visitor comes."""

from tests.fixtures.databases import only_sqlite
from tests.people import HANAKO, TARO
from views.compiled_templates import compile_templates


@only_sqlite
def test_form_and_receipt_are_drawn_without_compiling_anything(site):
    site.add_event(slug="spring")
    templates = site.app.jinja_env.cache
    templates.clear()

    compile_templates(site.app)
    compiled = set(templates)
    for path, person in (("/e/spring", TARO), ("/e/spring/embed", HANAKO)):
        page = site.visitor().open(path).form().fill(**person).submit()
        assert page.heading == "お申し込みが完了しました"

    assert set(templates) == compiled, "and nothing that they do not need"
