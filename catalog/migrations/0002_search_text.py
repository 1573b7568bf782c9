from django.db import migrations

# In the database, so that it is right however a row was written: form, import or raw SQL.
FORWARD = """
CREATE FUNCTION catalog_variant_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT portal_fold(concat_ws(' ', NEW.sku, brand, name, NEW.name, NEW.color,
                                 'grade ' || NEW.grade, category, specification, sku))
    INTO NEW.search_text FROM catalog_product WHERE id = NEW.product_id;
    NEW.search_text := coalesce(NEW.search_text, '');
    RETURN NEW;
END $$;

CREATE TRIGGER variant_search_text BEFORE INSERT OR UPDATE OF
    sku, name, color, grade, product_id, search_text ON catalog_variant
FOR EACH ROW EXECUTE FUNCTION catalog_variant_search_text();

CREATE FUNCTION catalog_product_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_variant SET search_text = '' WHERE product_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER product_search_text AFTER UPDATE OF
    sku, name, brand, category, specification ON catalog_product
FOR EACH ROW WHEN ((OLD.sku, OLD.name, OLD.brand, OLD.category, OLD.specification)
    IS DISTINCT FROM (NEW.sku, NEW.name, NEW.brand, NEW.category, NEW.specification))
EXECUTE FUNCTION catalog_product_search_text();
"""
BACKWARD = """
DROP TRIGGER product_search_text ON catalog_product;
DROP TRIGGER variant_search_text ON catalog_variant;
DROP FUNCTION catalog_product_search_text();
DROP FUNCTION catalog_variant_search_text();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
