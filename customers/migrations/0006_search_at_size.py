"""The search for customers: an entry of words beside each, and the words that there are.

Everything that keeps them right when a record changes, and everything that answers while somebody
types, is here. docs/adr/0014-the-latest-customers-first.md says why it is so.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

import portal.constraints

# The catalogue has it too: whoever goes back first must leave it to the other.
EXTENSION = "CREATE EXTENSION IF NOT EXISTS btree_gin"

WORDS = r"""
-- Letters or digits in a row, of text in small letters without accents, in its order.
CREATE FUNCTION customers_words(folded text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(
        SELECT left(part[1], 100)
        FROM regexp_matches(folded, '[[:alpha:]]+|[[:digit:]]+', 'g') AS part
    );
END $$;

-- The word itself, and what it is without any one of its letters: two words that have something
-- of this in common are one slip apart, be it a letter too many, too few, wrong, or elsewhere.
CREATE FUNCTION customers_slips(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$
    SELECT array_agg(DISTINCT overlay(word PLACING '' FROM n FOR 1)) || word
    FROM generate_series(1, length(word)) AS n
    HAVING length(word) BETWEEN 3 AND 40
$$;
"""
WORDS_BACKWARD = """
DROP FUNCTION customers_slips(text);
DROP FUNCTION customers_words(text);
"""

# A token of an entry is tenant.status/word, so that one index serves all tenants, each as if it
# were alone, and active customers as if there were no others. The id has = in front. Of a phone
# number each end of four digits or more is a word, so that any part of it begins one.
KEEPING = r"""
CREATE FUNCTION customers_tokens(customer customers_customer) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    lead CONSTANT text := customer.tenant_id
        || CASE customer.status WHEN 'active' THEN '.0/' ELSE '.9/' END;
    digits CONSTANT text := regexp_replace(customer.phone, '\D', '', 'g');
    words text[] := customers_words(portal_fold(concat_ws(
        ' ', customer.first_name, customer.last_name, customer.company, customer.email_key
    ))) || ('=' || portal_fold(customer.public_id));
BEGIN
    IF customer.last_name ~ '[^[:alpha:]]' THEN
        words := words || array_to_string(customers_words(portal_fold(customer.last_name)), '');
    END IF;
    FOR n IN 1 .. length(digits) - 3 LOOP
        words := words || substr(digits, n);
    END LOOP;
    RETURN array_to_tsvector(ARRAY(
        SELECT lead || word FROM unnest(words) AS word WHERE word <> ''
    ));
END $$;

-- Planned once: that takes longer than to write one customer.
CREATE FUNCTION customers_index(changed bigint[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    WITH written AS (
        INSERT INTO customers_searchentry AS entry (customer_id, tenant_id, words)
        SELECT id, customer.tenant_id, customers_tokens(customer)
        FROM customers_customer AS customer WHERE id = ANY (changed)
        ON CONFLICT (customer_id) DO UPDATE SET words = excluded.words
        WHERE entry.words <> excluded.words
        RETURNING tenant_id, words
    ), heard AS (
        SELECT DISTINCT tenant_id, substr(lexeme, strpos(lexeme, '/') + 1) COLLATE "C" AS word
        FROM written, unnest(words)
    )
    INSERT INTO customers_searchword (tenant_id, word)
    SELECT tenant_id, word FROM heard
    WHERE word !~ '^[[:digit:]=]' AND NOT EXISTS (
        SELECT FROM customers_searchword AS known
        WHERE known.tenant_id = heard.tenant_id AND known.word = heard.word
            AND unused_since IS NULL
    );
END $$;

CREATE FUNCTION customers_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM customers_index(array_agg(id)) FROM written;
    RETURN NULL;
END $$;

CREATE FUNCTION customers_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM customers_index(ARRAY[NEW.id]);
    RETURN NULL;
END $$;

-- Who has a word, active or not.
CREATE FUNCTION customers_having(tenant bigint, word text) RETURNS tsquery
LANGUAGE sql IMMUTABLE
AS $$ SELECT format('%s.0/%s|%s.9/%s', tenant, word, tenant, word)::tsquery $$;

-- A word that nobody has any more is not looked for from now on. It is deleted later: somebody may
-- be about to bring it back, who has seen it and therefore not brought it in.
CREATE FUNCTION customers_words_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE customers_searchword SET unused_since = now()
    WHERE id IN (
        SELECT id FROM customers_searchword
        WHERE tenant_id = OLD.tenant_id AND unused_since IS NULL AND word IN (
            SELECT substr(lexeme, strpos(lexeme, '/') + 1) COLLATE "C" FROM unnest(OLD.words)
            EXCEPT
            SELECT substr(lexeme, strpos(lexeme, '/') + 1) COLLATE "C" FROM unnest(NEW.words)
        ) AND NOT EXISTS (
            SELECT FROM customers_searchentry
            WHERE words @@ customers_having(OLD.tenant_id, word)
        )
        FOR UPDATE SKIP LOCKED
    );
    RETURN NULL;
END $$;

CREATE TRIGGER customer_written AFTER INSERT ON customers_customer
REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION customers_written();

-- By row: an order that remembers an address, as most do, is then not even looked at.
CREATE TRIGGER customer_changed
AFTER UPDATE OF first_name, last_name, company, email_key, phone, public_id, status
ON customers_customer FOR EACH ROW
WHEN (
    (OLD.first_name, OLD.last_name, OLD.company, OLD.email_key, OLD.phone, OLD.public_id,
     OLD.status)
    IS DISTINCT FROM
    (NEW.first_name, NEW.last_name, NEW.company, NEW.email_key, NEW.phone, NEW.public_id,
     NEW.status)
)
EXECUTE FUNCTION customers_changed();

CREATE TRIGGER customer_words_left AFTER UPDATE OR DELETE ON customers_searchentry
FOR EACH ROW EXECUTE FUNCTION customers_words_left();
"""
KEEPING_BACKWARD = """
DROP TRIGGER customer_words_left ON customers_searchentry;
DROP TRIGGER customer_changed ON customers_customer;
DROP TRIGGER customer_written ON customers_customer;
DROP FUNCTION customers_words_left();
DROP FUNCTION customers_having(bigint, text);
DROP FUNCTION customers_changed();
DROP FUNCTION customers_written();
DROP FUNCTION customers_index(bigint[]);
DROP FUNCTION customers_tokens(customers_customer);
"""

FILL = """
DO $$
DECLARE
    batch bigint[];
    last bigint := 0;
BEGIN
    LOOP
        SELECT array_agg(id), max(id) INTO batch, last
        FROM (SELECT id FROM customers_customer WHERE id > last ORDER BY id LIMIT 10000) AS next;
        EXIT WHEN batch IS NULL;
        PERFORM customers_index(batch);
    END LOOP;
END $$;
-- What is checked in the end must have been before an index can be made.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

# What the index is asked is kept as text in which # stands for tenant and status.
ASKING = r"""
CREATE TYPE customers_question AS (
    holds text[],      -- patterns of the words: a customer's text has them all,
    numbers text[],    -- and those of the numbers,
    phones text[],     -- or one of these, the same as a phone number
    terms text[],      -- by word, what the index is asked for; null: nothing
    ways int[],        -- how many terms that is; null: very many
    dialled text,      -- what it is asked for by the numbers, if they are long enough
    whole text         -- all of it with nothing but whole words
);

CREATE FUNCTION customers_patterns(texts text[]) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(array_agg('%' || regexp_replace(each, '([\\%_])', '\\\1', 'g') || '%'), '{}')
    FROM unnest(texts) AS each
$$;

CREATE FUNCTION customers_either(words text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT '''#' || array_to_string(words, '''|''#') || '''' WHERE cardinality(words) > 0
$$;

CREATE FUNCTION customers_query(template text, lead text) RETURNS tsquery LANGUAGE sql IMMUTABLE
AS $$ SELECT replace(template, '#', lead)::tsquery $$;

-- The pieces of a typed word. `opens`: it begins one, `closes`: it ends one.
CREATE FUNCTION customers_pieces(typed text)
RETURNS TABLE (piece text, opens boolean, closes boolean) LANGUAGE sql IMMUTABLE AS $$
    SELECT piece,
        n > 1 OR typed !~ '^[[:alnum:]]',
        n < cardinality(pieces) OR typed !~ '[[:alnum:]]$'
    FROM customers_words(left(typed, 300)) AS pieces,
        unnest(pieces) WITH ORDINALITY AS part(piece, n)
$$;

-- What the index is asked for by a piece; '' is nothing that it knows. `ways`: how many terms that
-- is, null if they are too many to name.
CREATE FUNCTION customers_meaning(
    asking bigint, piece text, opens boolean, closes boolean, OUT term text, OUT ways int
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    most CONSTANT int := 100;
    beginning text[] := '{}';
    inside text[] := '{}';
BEGIN
    ways := 1;
    IF piece ~ '^[[:digit:]]' THEN
        term := '''#' || piece || CASE WHEN closes THEN '''' ELSE ''':*' END;
        ways := CASE WHEN closes OR length(piece) > 2 THEN 1 END;
        RETURN;
    ELSIF closes AND (opens OR length(piece) < 3) THEN
        term := customers_either(ARRAY[piece]);
        RETURN;
    END IF;
    IF NOT closes THEN
        beginning := ARRAY(
            SELECT word FROM customers_searchword
            WHERE tenant_id = asking AND word >= piece AND word < piece || chr(1114111)
                AND unused_since IS NULL LIMIT most
        );
    END IF;
    IF NOT opens AND length(piece) > 2 THEN
        inside := ARRAY(
            SELECT word FROM customers_searchword
            WHERE tenant_id = asking AND unused_since IS NULL
                AND word LIKE '%' || piece || CASE WHEN closes THEN '' ELSE '%' END
                AND (closes OR NOT starts_with(word, piece)) LIMIT most
        );
    END IF;
    ways := cardinality(beginning || inside);
    IF cardinality(beginning) = most THEN
        term := concat_ws('|', '''#' || piece || ''':*', customers_either(inside));
        ways := NULL;
    ELSE
        term := coalesce(customers_either(beginning || inside), '');
    END IF;
END $$;

CREATE FUNCTION customers_question(asking bigint, words text[], numbers text[], phones text[])
RETURNS customers_question LANGUAGE plpgsql STABLE AS $$
DECLARE
    question customers_question;
    typed text;
    meant text;
    ways int;
BEGIN
    question.holds := customers_patterns(words);
    question.numbers := customers_patterns(numbers);
    question.phones := customers_patterns(phones);
    FOREACH typed IN ARRAY words LOOP
        SELECT CASE WHEN bool_and(term <> '') THEN string_agg('(' || term || ')', '&') END,
            CASE WHEN bool_and(meaning.ways IS NOT NULL) THEN sum(meaning.ways) END
        INTO meant, ways
        FROM customers_pieces(typed),
            customers_meaning(asking, piece, opens, closes) AS meaning;
        -- A sign alone is looked for in the rows: neither a word nor an id begins so.
        IF typed ~ '[[:alnum:]]' AND typed !~ '[#''\\]' AND length(typed) <= 64 THEN
            meant := concat_ws('|', meant, '''#=' || typed || ''':*');
        END IF;
        question.terms := question.terms || meant;
        question.ways := question.ways || ways;
        -- Nothing yet is null: a sign alone has no words.
        question.whole := nullif(concat_ws(
            '&', question.whole,
            replace(customers_either(customers_words(left(typed, 300))), '|', '&')
        ), '');
    END LOOP;
    IF phones <> '{}' AND (SELECT min(length(each)) > 2 FROM unnest(phones) AS each) THEN
        SELECT string_agg('''#' || left(each, 50) || ''':*', '|')
        INTO question.dialled FROM unnest(phones) AS each;
        -- Or as it stands in a name ("24/7", "0800"); of several parts the last may not be whole yet.
        SELECT '(' || concat_ws('|', question.dialled, '(' || string_agg(
            '''#' || piece || CASE
                WHEN cardinality(pieces) = 1 AND length(piece) > 2 THEN ''':*' ELSE ''''
            END, '&'
        ) || ')') || ')'
        INTO question.dialled
        FROM customers_words(left(array_to_string(numbers, ' '), 300)) AS pieces,
            unnest(pieces) WITH ORDINALITY AS part(piece, n)
        WHERE n = 1 OR n < cardinality(pieces);
        question.whole := concat_ws('&', question.whole, question.dialled);
    END IF;
    question.whole := nullif(question.whole, '');
    RETURN question;
END $$;

-- What the index is asked for: the word that the fewest of the latest customers have, the numbers,
-- and each word that is but a few terms. The others are looked for in the rows. Null: all is short.
CREATE FUNCTION customers_asked(asking bigint, question customers_question) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    few CONSTANT int := 8;
    sample CONSTANT int := 500;
    asked text;
BEGIN
    IF cardinality(question.terms) = 1 AND question.dialled IS NULL THEN
        RETURN question.terms[1];
    END IF;
    SELECT string_agg('(' || term || ')', '&') INTO asked
    FROM (
        SELECT term, ways, row_number() OVER (ORDER BY seen, ways, n) AS place
        FROM unnest(question.terms, question.ways, question.holds) WITH ORDINALITY
            AS word(term, ways, pattern, n)
        CROSS JOIN LATERAL (
            SELECT count(*) AS seen FROM (
                SELECT search_text FROM customers_customer WHERE tenant_id = asking
                ORDER BY updated_at DESC, id DESC LIMIT sample
            ) AS latest
            WHERE search_text LIKE pattern
        ) AS counted
        WHERE term IS NOT NULL AND ways IS NOT NULL
    ) AS choice
    WHERE ways <= few OR place = 1 AND question.dialled IS NULL;
    RETURN nullif(concat_ws('&', asked, question.dialled), '');
END $$;

-- The latest of the customers who hold all of it, as far as the index is asked. It is not asked for
-- more than it takes to find enough.
CREATE FUNCTION customers_by_index(
    asked text, lead text, question customers_question, known bigint[], enough int
) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    wants CONSTANT tsquery := customers_query(asked, lead);
    most int;
    candidates bigint[];
    hits bigint[];
BEGIN
    FOREACH most IN ARRAY '{300, 3000}'::int[] LOOP
        candidates := ARRAY(
            SELECT customer_id FROM customers_searchentry WHERE words @@ wants LIMIT most
        );
        hits := ARRAY(
            SELECT id FROM customers_customer
            WHERE id = ANY (candidates) AND id <> ALL (known)
                AND search_text LIKE ALL (question.holds)
                AND (search_text LIKE ALL (question.numbers)
                    OR search_text LIKE ANY (question.phones))
            ORDER BY updated_at DESC, id DESC LIMIT enough
        );
        EXIT WHEN cardinality(hits) >= enough OR cardinality(candidates) < most;
    END LOOP;
    RETURN hits;
END $$;

-- What a mistyped piece may have been meant for: words that are a slip away or look like it, the
-- likest first; or if none is a slip away, two words in a row.
CREATE FUNCTION customers_similar(asking bigint, piece text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    few CONSTANT int := 8;
    cut int;
    near text[] := ARRAY(
        SELECT word FROM customers_searchword
        WHERE tenant_id = asking AND slips && customers_slips(piece) AND slips IS NOT NULL
            AND unused_since IS NULL AND strpos(word, piece) = 0
    );
BEGIN
    IF near = '{}' THEN
        SELECT max(n) INTO cut FROM generate_series(3, length(piece) - 3) AS n
        WHERE EXISTS (
            SELECT FROM customers_searchword
            WHERE tenant_id = asking AND word = left(piece, n) AND unused_since IS NULL
        ) AND EXISTS (
            SELECT FROM customers_searchword
            WHERE tenant_id = asking AND word = substr(piece, n + 1) AND unused_since IS NULL
        );
        IF cut IS NOT NULL THEN
            RETURN format('(''#%s''&''#%s'')', left(piece, cut), substr(piece, cut + 1));
        END IF;
    END IF;
    PERFORM set_config('pg_trgm.word_similarity_threshold', '0.5', true);
    RETURN customers_either(ARRAY(
        SELECT word FROM (
            SELECT unnest(near) AS word
            UNION
            SELECT word FROM (
                SELECT word FROM customers_searchword
                WHERE tenant_id = asking AND word %> piece AND unused_since IS NULL
                    AND strpos(word, piece) = 0 LIMIT 1000
            ) AS alike
        ) AS either
        ORDER BY word_similarity(piece, word) DESC, length(word), word LIMIT few
    ));
END $$;

-- Customers who hold all of it once words of four letters or more are taken for mistyped ones:
-- those that nobody has, or if there are none, any one of them.
CREATE FUNCTION customers_alike(
    asking bigint, texts text[], question customers_question, known bigint[], wanted int
) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    few CONSTANT int := 8;
    compared CONSTANT int := 50;
    hits bigint[] := '{}';
    lead text;
    asked text;
    terms text[];
    mistyped text[];
    guessed text[];
    near text;
    ways int[];
    pieces CONSTANT text[] := ARRAY(
        SELECT piece FROM unnest(texts) AS typed, customers_pieces(typed)
        WHERE piece ~ '^[[:alpha:]]{4,40}$' LIMIT 10
    );
BEGIN
    IF pieces = '{}' THEN
        RETURN hits;
    END IF;
    SELECT array_agg(meaning.term ORDER BY place), array_agg(meaning.ways ORDER BY place),
        array_agg(piece) FILTER (WHERE meaning.term = '')
    INTO terms, ways, mistyped
    FROM unnest(pieces) WITH ORDINALITY AS part(piece, place),
        customers_meaning(asking, piece, false, false) AS meaning;
    guessed := coalesce(mistyped, pieces);
    question.holds := customers_patterns(ARRAY(
        SELECT typed FROM unnest(texts) AS typed WHERE NOT customers_words(typed) && guessed
        UNION ALL
        SELECT piece FROM unnest(texts) AS typed, customers_pieces(typed)
        WHERE customers_words(typed) && guessed AND piece <> ALL (guessed) AND length(piece) > 1
    ));
    IF mistyped IS NULL THEN
        terms := ARRAY(
            SELECT CASE WHEN way <= 2 * few THEN term ELSE customers_either(ARRAY[piece]) END
            FROM unnest(pieces, terms, ways) WITH ORDINALITY AS part(piece, term, way, n)
            ORDER BY n
        );
        asked := '((' || array_to_string(terms, ')&(') || '))';
    END IF;
    FOR n IN 1 .. cardinality(pieces) LOOP
        IF mistyped IS NULL THEN
            near := customers_similar(asking, pieces[n]);
            CONTINUE WHEN near IS NULL;
            near := array_to_string(terms[:n - 1] || near || terms[n + 1:], ')&(');
            asked := asked || '|((' || near || '))';
        ELSIF pieces[n] = ANY (mistyped) THEN
            near := customers_similar(asking, pieces[n]);
            IF near IS NULL THEN
                RETURN hits;
            END IF;
            asked := concat_ws('&', asked, '(' || near || ')');
        ELSIF ways[n] <= few THEN
            asked := concat_ws('&', asked, '(' || terms[n] || ')');
        END IF;
    END LOOP;
    FOREACH lead IN ARRAY ARRAY[asking || '.0/', asking || '.9/'] LOOP
        EXIT WHEN asked IS NULL OR cardinality(hits) >= wanted;
        hits := hits || ARRAY(
            SELECT id FROM customers_customer
            WHERE id = ANY (customers_by_index(asked, lead, question, known, compared))
            ORDER BY (
                SELECT sum(word_similarity(each, search_text)) FROM unnest(pieces) AS each
            ) DESC, updated_at DESC, id DESC
            LIMIT wanted - cardinality(hits)
        );
    END LOOP;
    RETURN hits;
END $$;

-- Of so many customers, those who changed or ordered last, the ones who hold all of it: at most a
-- hundred, first who has all words whole. `fitting`: how many have.
CREATE FUNCTION customers_lately(
    asking bigint, question customers_question, most int, statuses text[],
    OUT hits bigint[], OUT fitting bigint
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    whole CONSTANT tsquery := customers_query(question.whole, asking || '.0/');
BEGIN
    SELECT coalesce(array_agg(id ORDER BY fits DESC, n), '{}'), count(*) FILTER (WHERE fits)
    INTO hits, fitting
    FROM (
        SELECT holding.id, n, coalesce(ts_match_vq(words, whole), true) AS fits
        FROM (
            SELECT id, row_number() OVER () AS n FROM (
                SELECT id, search_text, status FROM customers_customer WHERE tenant_id = asking
                ORDER BY updated_at DESC, id DESC LIMIT most
            ) AS latest
            WHERE status = ANY (statuses) AND search_text LIKE ALL (question.holds)
                AND (search_text LIKE ALL (question.numbers)
                    OR search_text LIKE ANY (question.phones))
            LIMIT 100
        ) AS holding
        JOIN customers_searchentry ON customer_id = id
    ) AS matching;
END $$;

CREATE FUNCTION customers_and(known bigint[], more bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE
AS $$
    SELECT known || ARRAY(
        SELECT id FROM unnest(more) WITH ORDINALITY AS other(id, n)
        WHERE id <> ALL (known) ORDER BY n
    )
$$;

CREATE FUNCTION customers_find(
    asking bigint, texts text[], numbers text[], phones text[], address text, wanted int,
    most_alike int
) RETURNS TABLE (found_id bigint, resembles boolean) LANGUAGE plpgsql STABLE ROWS 10
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
    recent CONSTANT int := 2000;
    far CONSTANT int := 10000;
    active CONSTANT text := asking || '.0/';
    inactive CONSTANT text := asking || '.9/';
    words CONSTANT text[] := ARRAY(SELECT portal_fold(typed) FROM unnest(texts) AS typed);
    question CONSTANT customers_question := customers_question(asking, words, numbers, phones);
    exact CONSTANT bigint[] := ARRAY(
        SELECT id FROM customers_customer WHERE tenant_id = asking AND email_key = address
    );
    hits bigint[] := exact;
    asked text;
    lately bigint[];
    fitting bigint;
BEGIN
    SELECT latest.hits, latest.fitting INTO lately, fitting
    FROM customers_lately(asking, question, recent, '{active}') AS latest;
    hits := customers_and(hits, lately[:fitting]);
    IF fitting < wanted AND question.whole IS NOT NULL THEN
        hits := hits || customers_by_index(question.whole, active, question, hits, wanted);
    END IF;
    hits := customers_and(hits, lately);
    IF cardinality(hits) < wanted THEN
        asked := customers_asked(asking, question);
        IF asked IS NULL THEN
            SELECT latest.hits INTO lately
            FROM customers_lately(asking, question, far, '{active}') AS latest;
            hits := customers_and(hits, lately);
        ELSE
            hits := hits || customers_by_index(asked, active, question, hits, wanted);
            IF cardinality(hits) < wanted THEN
                hits := hits || customers_by_index(asked, inactive, question, hits, wanted);
            END IF;
        END IF;
    END IF;
    hits := hits[:wanted];
    RETURN QUERY SELECT unnest(hits), false;
    -- Whoever is found by half an e-mail needs none either.
    IF hits = '{}' OR address = '' AND cardinality(hits) < wanted AND NOT EXISTS (
        SELECT FROM unnest(words) AS typed WHERE typed ~ '[[:alnum:]]{2}[.@][[:alnum:]]{2}'
    ) THEN
        RETURN QUERY SELECT unnest(customers_alike(
            asking, words, question, hits,
            CASE hits WHEN '{}' THEN wanted ELSE least(most_alike, wanted - cardinality(hits)) END
        )), true;
    END IF;
END $$;

-- All customers who hold all of it, active or not; null if they are so many that a list that is
-- read from its beginning soon shows a page of them.
CREATE FUNCTION customers_matching(asking bigint, texts text[], numbers text[], phones text[])
RETURNS bigint[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
    often CONSTANT int := 6;
    recent CONSTANT int := 2000;
    far CONSTANT int := 10000;
    most CONSTANT int := 10000;
    everybody CONSTANT text[] := '{active, inactive}';
    words CONSTANT text[] := ARRAY(SELECT portal_fold(typed) FROM unnest(texts) AS typed);
    question CONSTANT customers_question := customers_question(asking, words, numbers, phones);
    asked text;
    lately bigint[];
    candidates bigint[] := '{}';
BEGIN
    SELECT hits INTO lately FROM customers_lately(asking, question, recent, everybody);
    IF cardinality(lately) > often THEN
        RETURN NULL;
    END IF;
    asked := customers_asked(asking, question);
    IF asked IS NULL THEN
        SELECT hits INTO lately FROM customers_lately(asking, question, far, everybody);
        RETURN CASE WHEN cardinality(lately) <= often THEN lately END;
    END IF;
    candidates := ARRAY(
        SELECT customer_id FROM customers_searchentry AS entry
        WHERE entry.words @@ (
            customers_query(asked, asking || '.0/') || customers_query(asked, asking || '.9/')
        )
        LIMIT most + 1
    );
    IF cardinality(candidates) > most THEN
        RETURN NULL;
    END IF;
    RETURN lately || ARRAY(
        SELECT id FROM customers_customer
        WHERE id = ANY (candidates) AND id <> ALL (lately)
            AND search_text LIKE ALL (question.holds)
            AND (search_text LIKE ALL (question.numbers)
                OR search_text LIKE ANY (question.phones))
    );
END $$;
"""
ASKING_BACKWARD = """
DROP FUNCTION customers_matching(bigint, text[], text[], text[]);
DROP FUNCTION customers_find(bigint, text[], text[], text[], text, int, int);
DROP FUNCTION customers_and(bigint[], bigint[]);
DROP FUNCTION customers_lately(bigint, customers_question, int, text[]);
DROP FUNCTION customers_alike(bigint, text[], customers_question, bigint[], int);
DROP FUNCTION customers_similar(bigint, text);
DROP FUNCTION customers_by_index(text, text, customers_question, bigint[], int);
DROP FUNCTION customers_asked(bigint, customers_question);
DROP FUNCTION customers_question(bigint, text[], text[], text[]);
DROP FUNCTION customers_meaning(bigint, text, boolean, boolean);
DROP FUNCTION customers_pieces(text);
DROP FUNCTION customers_query(text, text);
DROP FUNCTION customers_either(text[]);
DROP FUNCTION customers_patterns(text[]);
DROP TYPE customers_question;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_customers_in_order"),
        ("portal", "0010_api_keys_at_work"),
    ]

    operations = [
        migrations.RunSQL(EXTENSION, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="customer", name="customer_search"),
        migrations.RunSQL(WORDS, WORDS_BACKWARD),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portal.tenant",
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.TextField(db_collation="C")),
                ("unused_since", models.DateTimeField(null=True)),
                (
                    "slips",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func("word", function="customers_slips"),
                        output_field=django.contrib.postgres.fields.ArrayField(
                            base_field=models.TextField()
                        ),
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="portal.tenant",
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunSQL(KEEPING, KEEPING_BACKWARD),
        # Filling asks for it, word by word.
        migrations.AddIndex(
            model_name="searchword",
            index=models.Index(fields=["tenant", "word"], name="customer_word"),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="searchentry",
            constraint=portal.constraints.TenantForeignKey(
                cascade=True,
                field="customer",
                name="customer_entry_of_tenant",
                to="customers.Customer",
            ),
        ),
        # Made when the rows are there, in a fraction of the time.
        migrations.AddIndex(
            model_name="searchentry",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["words"], name="customer_entry_words"
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=models.Index(
                condition=models.Q(("unused_since__isnull", False)),
                fields=["unused_since"],
                name="customer_word_unused",
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False,
                fields=["tenant", "word"],
                name="customer_word_part",
                opclasses=["int8_ops", "gin_trgm_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("slips__isnull", False)),
                fastupdate=False,
                fields=["tenant", "slips"],
                name="customer_word_slips",
                opclasses=["int8_ops", "array_ops"],
            ),
        ),
        migrations.RunSQL(ASKING, ASKING_BACKWARD),
    ]
