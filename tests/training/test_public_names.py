from lembas_pyg import training


def test_names_imported_on_first_use_are_listed_for_help_and_documentation():
    assert set(training.__all__) <= set(dir(training))
