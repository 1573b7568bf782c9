"""What the forms of pages and of the admin share."""

from django import forms


def remember_what_was_shown(form: forms.BaseForm) -> None:
    """Has the page send back what it was filled with, beside what is typed over it.

    So only that is saved which was changed here, and not what somebody else changed meanwhile. What
    is sent without it is compared with what there is by then.
    """
    for name, field in form.fields.items():
        is_known = not form.is_bound or form.add_initial_prefix(name) in form.data
        field.show_hidden_initial = is_known
