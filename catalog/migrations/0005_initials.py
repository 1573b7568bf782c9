from importlib import import_module

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

before = import_module("catalog.migrations.0002_search_text")

# A word in capitals (SE) or with digits (X1, 16) is short already and stays whole; of any other
# word, and of every hump of one (MacBook), the first letter counts: MacBook Pro 16 → mbp16.
FUNCTIONS = r"""
CREATE FUNCTION catalog_initials(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$
    SELECT portal_fold(regexp_replace(regexp_replace(
        regexp_replace(name, '([[:lower:]])([[:upper:][:digit:]])', '\1 \2', 'g'),
        '\m([[:alpha:]])[[:lower:]]+\M', '\1', 'g'), '[^[:alnum:]]+', '', 'g'))
$$;

CREATE FUNCTION catalog_variant_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT portal_fold(concat_ws(' ', NEW.sku, brand, name, NEW.name, NEW.color,
                                 'grade ' || NEW.grade, category, specification,
                                 nullif(aliases, ''), sku)),
           catalog_initials(name)
    INTO NEW.search_text, NEW.initials FROM catalog_product WHERE id = NEW.product_id;
    NEW.search_text := coalesce(NEW.search_text, '');
    NEW.initials := coalesce(NEW.initials, '');
    RETURN NEW;
END $$;

CREATE TRIGGER variant_search_text BEFORE INSERT OR UPDATE OF
    sku, name, color, grade, product_id, search_text, initials ON catalog_variant
FOR EACH ROW EXECUTE FUNCTION catalog_variant_search_text();

CREATE FUNCTION catalog_product_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_variant SET search_text = '' WHERE product_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER product_search_text AFTER UPDATE OF
    sku, name, brand, category, specification, aliases ON catalog_product
FOR EACH ROW WHEN (
    (OLD.sku, OLD.name, OLD.brand, OLD.category, OLD.specification, OLD.aliases)
    IS DISTINCT FROM
    (NEW.sku, NEW.name, NEW.brand, NEW.category, NEW.specification, NEW.aliases))
EXECUTE FUNCTION catalog_product_search_text();
"""
FORWARD = before.BACKWARD + FUNCTIONS
BACKWARD = before.BACKWARD + before.FORWARD + "DROP FUNCTION catalog_initials(text);"
FILL = "UPDATE catalog_variant SET search_text = ''"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_discount_has_value")]

    operations = [
        migrations.AddField(
            model_name="product",
            name="aliases",
            field=models.CharField(
                blank=True,
                help_text="Other words that people use for it, with commas between them.",
                max_length=200,
                default="",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="variant",
            name="initials",
            field=models.TextField(default="", editable=False),
        ),
        migrations.RemoveIndex(model_name="variant", name="variant_search"),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="variant",
            index=GinIndex(
                fields=["search_text", "initials"],
                name="variant_search",
                opclasses=["gin_trgm_ops", "gin_trgm_ops"],
            ),
        ),
    ]
