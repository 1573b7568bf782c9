"""The search: an entry per variant, in tiers, and the words that the entries are made of.

Everything that keeps them right when the catalogue changes, and everything that answers while
somebody types, is here. docs/adr/0013-search-in-tiers.md says why it is so.
"""

from importlib import import_module

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

import portal.constraints

before = import_module("catalog.migrations.0005_initials")

OLD_TRIGGERS = before.FUNCTIONS.replace(
    "CREATE FUNCTION catalog_initials", "CREATE OR REPLACE FUNCTION catalog_initials"
)

WORDS = r"""
-- Letters and digits in a row, without case and accents, in the order of the text.
CREATE FUNCTION catalog_words(value text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT array_remove(regexp_split_to_array(portal_fold(value), '[^[:alnum:]]+'), '') $$;

-- The word itself, and what it is without any one of its letters: two words that have something
-- of this in common are one slip apart, be it a letter too many, too few, wrong, or elsewhere.
CREATE FUNCTION catalog_slips(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$
    SELECT array_agg(DISTINCT overlay(word PLACING '' FROM n FOR 1)) || word
    FROM generate_series(1, length(word)) AS n
$$;

-- Long part numbers have no slips kept: there are as many as variants, and each would have ten.
-- One that is mistyped is found by its likeness.
CREATE FUNCTION catalog_known_slips(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$
    SELECT CASE
        WHEN word ~ '^([[:alnum:]]{3,8}|[[:alpha:]]{9,40})$' AND word ~ '[[:alpha:]]'
        THEN catalog_slips(word)
    END
$$;
"""
WORDS_BACKWARD = """
DROP FUNCTION catalog_known_slips(text);
DROP FUNCTION catalog_slips(text);
DROP FUNCTION catalog_words(text);
"""

# A token of an entry is tenant.tier/word, so that one index serves all tenants and tiers, each as
# if it were alone. Initials have = in front: they begin with what is typed, but do not contain it.
# The first word of the product's name weighs A, the others of the name B.
KEEPING = r"""
CREATE FUNCTION catalog_index_variants(changed bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Of two transactions, one that renames a product and one that writes a variant of it, the
    -- second waits here: neither would see what the other has not committed.
    PERFORM FROM catalog_product
    WHERE id IN (SELECT product_id FROM catalog_variant WHERE id = ANY (changed))
    ORDER BY id FOR SHARE;

    WITH variant AS (
        SELECT variant.*, placed.tier,
            CASE WHEN placed.tier = 0 THEN entry.place END AS place,
            variant.tenant_id || '.' || placed.tier || '/' AS lead
        FROM unnest(changed) AS id
        JOIN catalog_variant AS variant USING (id)
        JOIN catalog_product AS product ON product.id = variant.product_id
        LEFT JOIN catalog_searchentry AS entry ON entry.variant_id = variant.id
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN variant.status <> 'active' OR product.status <> 'active' THEN 9
                WHEN entry.tier < 9 THEN entry.tier
                ELSE 2
            END AS tier
        ) AS placed
    ), product AS (
        SELECT lead, product.id, said.words
        FROM (SELECT DISTINCT product_id, lead FROM variant) AS wanted
        JOIN catalog_product AS product ON product.id = product_id
        CROSS JOIN LATERAL (
            SELECT catalog_words(brand) AS brand_words, catalog_words(name) AS name_words
        ) AS split
        CROSS JOIN LATERAL (
            SELECT string_agg(lead || left(word, 100) || ':' || n || CASE
                WHEN n = cardinality(brand_words) + 1 THEN 'A'
                WHEN n BETWEEN cardinality(brand_words) + 2
                    AND cardinality(brand_words) + cardinality(name_words) THEN 'B'
                ELSE ''
            END, ' ')::tsvector AS words
            FROM unnest(
                brand_words || name_words
                || catalog_words(concat_ws(' ', category, specification, aliases, product.sku))
                -- Folding may bring signs in: a long vowel's becomes a colon.
                || array_remove(ARRAY['=' || array_to_string(
                    catalog_words(catalog_initials(name)), ''
                )], '=')
            ) WITH ORDINALITY AS word(word, n)
        ) AS said
    ), written AS (
        INSERT INTO catalog_searchentry AS entry
            (variant_id, tenant_id, tier, place, popularity, sku_key, words)
        SELECT variant.id, variant.tenant_id, tier, place, 0,
            array_to_string(catalog_words(variant.sku), ''),
            said.words || coalesce(product.words, '')
        FROM variant
        JOIN product ON product.id = variant.product_id AND product.lead = variant.lead
        CROSS JOIN LATERAL (
            SELECT string_agg(variant.lead || left(word, 100) || ':' || n, ' ')::tsvector AS words
            FROM unnest(
                catalog_words(concat_ws(' ', sku, name, color, 'grade ' || grade))
            ) WITH ORDINALITY AS word(word, n)
        ) AS said
        ORDER BY variant.id -- As the nightly refresh does: nobody waits in a circle.
        ON CONFLICT (variant_id) DO UPDATE
        SET tier = excluded.tier, place = excluded.place, sku_key = excluded.sku_key,
            words = excluded.words
        WHERE (entry.sku_key, entry.words) IS DISTINCT FROM (excluded.sku_key, excluded.words)
        RETURNING tenant_id, words
    ), heard AS (
        SELECT DISTINCT tenant_id, substr(lexeme, strpos(lexeme, '/') + 1) AS word
        FROM written, unnest(words)
    )
    -- Nobody waits for anybody: a word that two transactions bring in at once is there twice
    -- until the night.
    INSERT INTO catalog_searchword (tenant_id, word, rows)
    SELECT tenant_id, word, 1 FROM heard
    WHERE NOT EXISTS (
        SELECT FROM catalog_searchword AS known
        WHERE known.tenant_id = heard.tenant_id AND known.word = heard.word
    );
END $$;

CREATE FUNCTION catalog_variant_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_index_variants(array_agg(id)) FROM written;
    RETURN NULL;
END $$;

CREATE FUNCTION catalog_variant_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever renames the product that a variant leaves would write its entry anew with that name.
    -- Both products at once, in one order: nobody waits in a circle.
    PERFORM FROM catalog_product
    WHERE id IN (
        SELECT unnest(ARRAY[old_rows.product_id, new_rows.product_id])
        FROM old_rows JOIN new_rows USING (id)
        WHERE old_rows.product_id <> new_rows.product_id
    )
    ORDER BY id FOR SHARE;

    PERFORM catalog_index_variants(array_agg(id)) FROM old_rows JOIN new_rows USING (id)
    WHERE (old_rows.product_id, old_rows.sku, old_rows.name, old_rows.color, old_rows.grade,
           old_rows.status)
        IS DISTINCT FROM
        (new_rows.product_id, new_rows.sku, new_rows.name, new_rows.color, new_rows.grade,
         new_rows.status)
    HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION catalog_product_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_index_variants(array_agg(variant.id))
    FROM old_rows JOIN new_rows USING (id)
    JOIN catalog_variant AS variant ON variant.product_id = new_rows.id
    WHERE (old_rows.sku, old_rows.name, old_rows.brand, old_rows.category,
           old_rows.specification, old_rows.aliases, old_rows.status)
        IS DISTINCT FROM
        (new_rows.sku, new_rows.name, new_rows.brand, new_rows.category,
         new_rows.specification, new_rows.aliases, new_rows.status)
    HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER variant_written AFTER INSERT ON catalog_variant
REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION catalog_variant_written();

CREATE TRIGGER variant_changed AFTER UPDATE ON catalog_variant
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION catalog_variant_changed();

CREATE TRIGGER product_changed AFTER UPDATE ON catalog_product
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION catalog_product_changed();
"""
KEEPING_BACKWARD = """
DROP TRIGGER product_changed ON catalog_product;
DROP TRIGGER variant_changed ON catalog_variant;
DROP TRIGGER variant_written ON catalog_variant;
DROP FUNCTION catalog_product_changed();
DROP FUNCTION catalog_variant_changed();
DROP FUNCTION catalog_variant_written();
DROP FUNCTION catalog_index_variants(bigint[]);
"""

# Room on each page for the popularity of its rows, which changes without touching an index.
ROOM = "ALTER TABLE catalog_searchentry SET (fillfactor = 85)"
FILL = """
DO $$
DECLARE
    batch bigint[];
    last bigint := 0;
BEGIN
    LOOP
        SELECT array_agg(id), max(id) INTO batch, last
        FROM (SELECT id FROM catalog_variant WHERE id > last ORDER BY id LIMIT 10000) AS next;
        EXIT WHEN batch IS NULL;
        PERFORM catalog_index_variants(batch);
    END LOOP;
END $$;
-- What is checked in the end must have been before an index can be made.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

# Questions are kept as text in which # stands for tenant and tier, and @ for weights.
ASKING = r"""
CREATE TYPE catalog_meaning AS (
    begins text,       -- words that begin with what was typed, or are a slip away from it
    anywhere text,     -- those, and words that contain it
    everything text,   -- those, and initials
    ways int,          -- how many terms that has
    whole text,        -- the very word, or initials
    asked text,        -- what a row has to have of it, for the index
    listed text,       -- the same as a list of words; null if there are too many
    terms int,         -- how many are listed
    rows bigint,       -- how many variants have one of them, counted last night; null: very many
    slips text,        -- the words that are a slip away alone
    slip_rows bigint
);

CREATE TYPE catalog_question AS (
    bare text,
    beyond text,
    begins text,
    anywhere text,
    everything text,
    whole text,
    first_word text,   -- what the first word means
    together text,     -- each number and its unit, next to each other or in one; null: none
    phrase text,
    asked text,        -- what the index is asked for in the first tier, null if all is common
    listed text,       -- and in the others: the rarest words as lists, null if none is rare
    is_common boolean  -- one of twenty variants may match
);

CREATE FUNCTION catalog_terms(words text[]) RETURNS text LANGUAGE sql IMMUTABLE STRICT
AS $$
    SELECT '''#' || array_to_string(words, ''':@|''#') || ''':@' WHERE cardinality(words) > 0
$$;

CREATE FUNCTION catalog_query(template text, lead text, weights text) RETURNS tsquery
LANGUAGE sql IMMUTABLE
AS $$ SELECT replace(replace(template, '#', lead), '@', weights)::tsquery $$;

-- What a typed word stands for among the tenant's words. `joined`: what it makes with its
-- neighbour, if they are a number and a unit. `widely`: a number need not be whole, and one or two
-- letters count inside a frequent word too. `forgiving`: a word may be mistyped.
CREATE FUNCTION catalog_meaning(
    asking bigint, typed text, joined text, is_last boolean, widely boolean, forgiving boolean
) RETURNS catalog_meaning LANGUAGE plpgsql STABLE AS $$
DECLARE
    most_counted CONSTANT int := 200;
    most_listed CONSTANT int := 64;
    few_terms CONSTANT int := 8;
    most_work CONSTANT int := 500000;
    most_rows CONSTANT int := 100000;
    frequent CONSTANT int := 1000;
    beyond CONSTANT text := typed || chr(1114111);
    opening text := '''#' || typed || ''':*@';
    initials text := '''#=' || typed || ''':*';
    beginning text[];
    inside text[] := '{}';
    slipped text[] := '{}';
    more bigint;
    whole_rows bigint;
    figure CONSTANT text := substring(typed FROM '^[0-9]+');
    unit CONSTANT text := substring(typed FROM '^[0-9]+([[:alpha:]]{2,})$');
    apart text;
    joined_rows bigint := 0;
    meaning catalog_meaning;
BEGIN
    SELECT coalesce(array_agg(word), '{}'), coalesce(sum(rows), 0),
        max(rows) FILTER (WHERE word = typed)
    INTO beginning, meaning.rows, whole_rows
    FROM (
        SELECT word, rows FROM catalog_searchword
        WHERE tenant_id = asking AND word >= typed AND word < beyond LIMIT most_counted
    ) AS part;
    -- A number and its unit may be written together here and apart there: 16GB, 16 GB.
    IF joined IS NOT NULL THEN
        SELECT max(word), coalesce(max(rows), 0) INTO joined, joined_rows
        FROM catalog_searchword WHERE tenant_id = asking AND word = joined;
    END IF;
    IF whole_rows IS NOT NULL AND typed ~ '^[0-9]+$' AND NOT is_last AND NOT widely THEN
        opening := catalog_terms(array_remove(ARRAY[typed, joined], NULL));
        RETURN (
            opening, opening, opening, 1, opening, opening, opening, 2, whole_rows + joined_rows,
            NULL::text, NULL::bigint
        );
    END IF;
    IF length(typed) > 2 THEN
        SELECT (coalesce(array_agg(word ORDER BY rows DESC), '{}'))[:most_listed],
            coalesce(sum(rows), 0)
        INTO inside, more
        FROM (
            SELECT word, rows FROM catalog_searchword
            WHERE tenant_id = asking AND word LIKE '%' || typed || '%'
                AND NOT starts_with(word, typed) AND NOT starts_with(word, '=') LIMIT 1000
        ) AS part;
        meaning.rows := meaning.rows + more;
    ELSIF widely THEN
        SELECT coalesce(array_agg(word), '{}'), coalesce(sum(rows), 0) INTO inside, more
        FROM (
            SELECT word, rows FROM (
                SELECT word, rows FROM catalog_searchword
                WHERE tenant_id = asking ORDER BY rows DESC LIMIT frequent
            ) AS often
            WHERE strpos(word, typed) > 1 AND NOT starts_with(word, '=') LIMIT 24
        ) AS part;
        meaning.rows := meaning.rows + more;
    END IF;
    IF forgiving AND length(typed) > 3 AND typed !~ '^[0-9]+$' THEN
        SELECT coalesce(array_agg(word), '{}'), coalesce(sum(rows), 0) INTO slipped, more
        FROM catalog_searchword
        WHERE tenant_id = asking AND slips && catalog_slips(typed) AND slips IS NOT NULL
            AND strpos(word, typed) = 0;
        IF slipped || beginning || inside = '{}' THEN
            PERFORM set_config('pg_trgm.word_similarity_threshold', '0.45', true);
            SELECT coalesce(array_agg(word), '{}'), coalesce(sum(rows), 0) INTO slipped, more
            FROM (
                SELECT word, rows FROM catalog_searchword
                WHERE tenant_id = asking AND word %> typed AND NOT starts_with(word, '=')
                ORDER BY word_similarity(typed, word) DESC, rows DESC LIMIT most_listed
            ) AS alike;
        END IF;
        meaning.slip_rows := more;
        meaning.rows := meaning.rows + more;
    END IF;
    SELECT sum(rows) INTO more FROM (
        SELECT rows FROM catalog_searchword
        WHERE tenant_id = asking AND word >= '=' || typed AND word < '=' || beyond
            AND length(typed) > 1 LIMIT 200
    ) AS part;
    IF more IS NULL THEN
        initials := NULL;
    ELSE
        meaning.rows := meaning.rows + more;
    END IF;
    IF beginning = '{}' THEN
        opening := NULL;
    END IF;
    IF joined <> ALL (inside) AND NOT starts_with(joined, typed) THEN
        inside := inside || joined;
        meaning.rows := meaning.rows + joined_rows;
    END IF;
    IF unit IS NOT NULL THEN
        SELECT min(rows) INTO more FROM catalog_searchword
        WHERE tenant_id = asking AND word IN (figure, unit) HAVING count(DISTINCT word) = 2;
        IF more IS NOT NULL THEN
            apart := format('(''#%s'':@<->''#%s'':@)', figure, unit);
            meaning.rows := meaning.rows + more;
        END IF;
    END IF;
    meaning.begins := concat_ws('|', opening, catalog_terms(slipped), apart);
    meaning.anywhere := concat_ws('|', opening, catalog_terms(slipped || inside), apart);
    meaning.everything := nullif(
        concat_ws('|', opening, catalog_terms(slipped || inside), initials, apart), ''
    );
    meaning.ways := 2 + cardinality(slipped || inside);
    meaning.asked := meaning.everything;
    meaning.whole := concat_ws('|', catalog_terms(typed || slipped), initials, apart);
    meaning.slips := catalog_terms(slipped);
    IF cardinality(beginning) = most_counted THEN
        meaning.rows := NULL;
    ELSIF cardinality(beginning) <= most_listed AND (
        cardinality(beginning || slipped || inside) <= few_terms
        OR meaning.rows * cardinality(beginning || slipped || inside) <= most_work
    ) THEN
        meaning.listed := concat_ws(
            '|', catalog_terms(beginning || slipped || inside), initials, apart
        );
        meaning.terms := cardinality(beginning || slipped || inside);
    ELSIF meaning.rows <= most_rows THEN
        meaning.listed := meaning.everything;
        meaning.terms := 1 + cardinality(slipped || inside);
    END IF;
    RETURN meaning;
END $$;

-- What is asked for by these words together, or null if nothing can match. An unknown word that is
-- two known ones in a row stands for both.
CREATE FUNCTION catalog_question(
    asking bigint, typed text[], widely boolean, forgiving boolean
) RETURNS catalog_question LANGUAGE plpgsql STABLE AS $$
DECLARE
    nothing CONSTANT text := '''#''';
    most_fetched CONSTANT int := 10000;
    figure CONSTANT text := '^[0-9]+$';
    unit CONSTANT text := '^[[:alpha:]]{2,}$';
    number int := 1;
    cut int;
    slipped int[] := '{}';
    meaning catalog_meaning;
    meanings catalog_meaning[] := '{}';
    question catalog_question;
BEGIN
    question.bare := array_to_string(typed, '');
    question.beyond := question.bare || chr(1114111);
    WHILE number <= cardinality(typed) LOOP
        meaning := catalog_meaning(
            asking, typed[number],
            CASE
                WHEN typed[number] ~ figure AND typed[number + 1] ~ unit
                    THEN typed[number] || typed[number + 1]
                WHEN typed[number] ~ unit AND typed[number - 1] ~ figure
                    THEN typed[number - 1] || typed[number]
            END,
            number = cardinality(typed), widely, forgiving
        );
        IF meaning.everything IS NOT NULL THEN
            meanings := meanings || meaning;
            number := number + 1;
            CONTINUE;
        END IF;
        SELECT max(n) INTO cut FROM generate_series(2, length(typed[number]) - 2) AS n
        WHERE EXISTS (
            SELECT FROM catalog_searchword
            WHERE tenant_id = asking AND word = left(typed[number], n)
        ) AND EXISTS (
            SELECT FROM catalog_searchword
            WHERE tenant_id = asking AND word >= substr(typed[number], n + 1)
                AND word < substr(typed[number], n + 1) || chr(1114111)
        );
        IF cut IS NULL THEN
            RETURN NULL;
        END IF;
        typed := typed[:number - 1]
            || ARRAY[left(typed[number], cut), substr(typed[number], cut + 1)]
            || typed[number + 1:];
    END LOOP;
    IF forgiving THEN
        -- Without a slip nothing was found before: a row has to have one.
        FOR number IN 1 .. cardinality(meanings) LOOP
            CONTINUE WHEN meanings[number].slips IS NULL;
            slipped := slipped || number;
        END LOOP;
        IF slipped = '{}' THEN
            RETURN NULL;
        ELSIF cardinality(slipped) = 1 THEN
            meanings[slipped[1]].asked := meanings[slipped[1]].slips;
            meanings[slipped[1]].listed := meanings[slipped[1]].slips;
            meanings[slipped[1]].rows := meanings[slipped[1]].slip_rows;
        END IF;
    END IF;
    -- They are looked for in this order, so that most rows are done with at a glance.
    SELECT string_agg('(' || coalesce(nullif(each.begins, ''), nothing) || ')', '&' ORDER BY ways),
        string_agg('(' || coalesce(nullif(each.anywhere, ''), nothing) || ')', '&' ORDER BY ways),
        string_agg('(' || each.everything || ')', '&' ORDER BY ways),
        string_agg('(' || each.whole || ')', '&' ORDER BY ways)
    INTO question.begins, question.anywhere, question.everything, question.whole
    FROM unnest(meanings) AS each;
    -- The index is asked for a word that few variants have; else for up to three that are few
    -- terms to it. The other words are looked for in the rows that it finds.
    SELECT asked INTO question.asked FROM unnest(meanings) WHERE rows IS NOT NULL
    ORDER BY rows * (3 + ways) LIMIT 1;
    SELECT string_agg('(' || listed || ')', '&') INTO question.listed
    FROM (
        SELECT listed, terms, rows, min(rows) OVER () AS fewest, row_number() OVER (
            ORDER BY rows > most_fetched, CASE WHEN rows > most_fetched THEN terms ELSE 0 END * rows, rows
        ) AS n
        FROM unnest(meanings) WHERE listed IS NOT NULL
    ) AS choice
    WHERE n = 1 OR (n <= 3 AND terms <= 8 AND fewest > most_fetched);
    question.first_word := coalesce(nullif(meanings[1].anywhere, ''), nothing);
    SELECT string_agg(format(
        '(''#%s''<->''#%s'':*|''#%s'':*)', typed[n], typed[n + 1], typed[n] || typed[n + 1]
    ), '&') INTO question.together
    FROM generate_subscripts(typed, 1) AS n
    WHERE typed[n] ~ figure AND typed[n + 1] ~ unit;
    question.phrase := '''#' || array_to_string(typed, '''<->''#') || '''';
    SELECT question.asked IS NULL OR exp(sum(ln(least(
        1, greatest(coalesce(rows, 1e9), 1) / (
            SELECT greatest(rows, 1)::float8 FROM catalog_searchword
            WHERE tenant_id = asking ORDER BY rows DESC LIMIT 1
        )
    )))) > 0.05 INTO question.is_common FROM unnest(meanings);
    RETURN question;
END $$;

-- The variants of a tier whose SKU begins so, without separators, often ordered first; else those
-- whose product is called so.
CREATE FUNCTION catalog_by_sku(
    asking bigint, searched smallint, asked text[], so_far bigint[], wanted int
) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    bare CONSTANT text := array_to_string(asked, '');
    called CONSTANT tsquery := catalog_query(
        catalog_terms(asked[:1]), asking || '.' || searched || '/', 'AB'
    );
BEGIN
    RETURN (
        SELECT array_agg(variant_id) FROM (
            SELECT variant_id FROM (
                SELECT variant_id, popularity, sku_key, words FROM catalog_searchentry
                WHERE tenant_id = asking AND tier = searched
                    AND sku_key >= bare AND sku_key < bare || chr(1114111)
                    AND variant_id <> ALL (so_far)
                ORDER BY sku_key LIMIT CASE searched WHEN 0 THEN 5000 ELSE 500 END
            ) AS part
            ORDER BY sku_key = bare DESC, popularity DESC, words @@ called DESC, sku_key
            LIMIT wanted - cardinality(so_far)
        ) AS first
    );
END $$;

-- The variants of a tier that have all the words, the 200 most ordered of them by how well.
CREATE FUNCTION catalog_by_words(
    asking bigint, searched smallint, question catalog_question, so_far bigint[], wanted int
) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    walked_through CONSTANT int := 100;
    compared CONSTANT int := 200;
    lead CONSTANT text := asking || '.' || searched || '/';
    walks CONSTANT boolean := question.is_common AND searched = 0;
    strolls CONSTANT boolean := question.listed IS NULL AND searched > 1;
    wants CONSTANT tsquery := catalog_query(question.everything, lead, '');
    asks CONSTANT tsquery := catalog_query(
        coalesce(
            CASE WHEN searched > 0 THEN question.listed END, question.asked, question.everything
        ),
        lead, ''
    );
    ranked bigint[];
BEGIN
    SELECT array_agg(variant_id) INTO ranked FROM (
        SELECT variant_id FROM (
            SELECT * FROM (
                -- Most ordered first, as far as enough is found.
                SELECT * FROM (
                    SELECT variant_id, popularity, sku_key, words FROM catalog_searchentry
                    WHERE walks AND tenant_id = asking AND place IS NOT NULL
                        AND ts_match_vq(words, wants)
                        AND NOT (sku_key >= question.bare AND sku_key < question.beyond)
                        AND variant_id <> ALL (so_far)
                    ORDER BY place LIMIT walked_through
                ) AS walked
                UNION ALL
                -- From the index; `ts_match_vq` is `@@` that the index is not asked for.
                SELECT * FROM (
                    SELECT * FROM (
                        SELECT variant_id, popularity, sku_key, words FROM catalog_searchentry
                        WHERE NOT walks AND NOT strolls AND words @@ asks LIMIT 10000
                    ) AS fetched
                    WHERE ts_match_vq(words, wants)
                        AND NOT (sku_key >= question.bare AND sku_key < question.beyond)
                        AND variant_id <> ALL (so_far)
                    LIMIT CASE searched WHEN 0 THEN 5000 ELSE 500 END
                ) AS indexed
                UNION ALL
                -- Nothing but common words, and the tiers above did not have enough: a glance.
                SELECT * FROM (
                    SELECT * FROM (
                        SELECT variant_id, popularity, sku_key, words FROM catalog_searchentry
                        WHERE strolls AND tenant_id = asking AND tier = searched
                        ORDER BY sku_key LIMIT 5000
                    ) AS glanced
                    WHERE ts_match_vq(words, wants)
                        AND NOT (sku_key >= question.bare AND sku_key < question.beyond)
                        AND variant_id <> ALL (so_far)
                    LIMIT 500
                ) AS strolled
            ) AS matching
            ORDER BY popularity DESC, sku_key LIMIT compared
        ) AS often
        ORDER BY
            question.together IS NOT NULL
                AND NOT words @@ (SELECT catalog_query(question.together, lead, '')),
            CASE
                WHEN words @@ (SELECT catalog_query(question.begins, lead, '')) THEN
                    CASE WHEN words @@ (SELECT catalog_query(question.whole, lead, ''))
                        THEN 0 ELSE 1 END
                WHEN words @@ (SELECT catalog_query(question.anywhere, lead, '')) THEN 2
                ELSE 3
            END,
            CASE
                WHEN NOT words @@ (SELECT catalog_query(question.first_word, lead, 'AB')) THEN 3
                WHEN NOT words @@ (SELECT catalog_query(question.anywhere, lead, 'AB')) THEN 2
                WHEN NOT words @@ (SELECT catalog_query(question.first_word, lead, 'A')) THEN 1
                ELSE 0
            END,
            NOT words @@ (SELECT catalog_query(question.phrase, lead, '')),
            popularity DESC,
            sku_key
        LIMIT wanted - cardinality(so_far)
    ) AS best;
    RETURN ranked;
END $$;

CREATE FUNCTION catalog_search_one(asking bigint, typed text, wanted int, forgiving boolean)
RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked CONSTANT text[] := (catalog_words(typed))[:16];
    bare CONSTANT text := array_to_string(asked, '');
    widely boolean := false;
    exact bigint[];
    so_far bigint[];
    searched smallint;
    question catalog_question;
BEGIN
    IF bare = '' THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(array_agg(variant_id), '{}') INTO exact FROM (
        SELECT variant_id FROM catalog_searchentry
        WHERE tenant_id = asking AND tier IN (0, 1, 2) AND sku_key = bare
        ORDER BY tier, popularity DESC LIMIT wanted
    ) AS called_so;
    LOOP
        so_far := exact;
        question := NULL;
        FOREACH searched IN ARRAY '{0, 1, 2, 9}'::smallint[] LOOP
            so_far := so_far || catalog_by_sku(asking, searched, asked, so_far, wanted);
            IF cardinality(so_far) >= wanted THEN
                RETURN so_far;
            END IF;
            IF searched = 0 THEN
                question := catalog_question(asking, asked, widely, forgiving);
            END IF;
            IF question.everything IS NOT NULL THEN
                so_far := so_far || catalog_by_words(asking, searched, question, so_far, wanted);
            END IF;
            IF cardinality(so_far) >= wanted THEN
                RETURN so_far;
            END IF;
        END LOOP;
        IF widely OR so_far <> '{}' AND length(bare) > 2 OR NOT EXISTS (
            SELECT FROM unnest(asked) AS word WHERE length(word) < 3 OR word ~ '^[0-9]+$'
        ) THEN
            RETURN so_far;
        END IF;
        widely := true;
    END LOOP;
END $$;

-- What is shown of these variants, in their order: prices by contract length in months.
CREATE FUNCTION catalog_offers(variants bigint[]) RETURNS TABLE (
    sku text, product_name text, variant_name text, brand text, is_orderable boolean,
    lengths smallint[], prices numeric[]
) LANGUAGE plpgsql STABLE ROWS 10 AS $$
BEGIN
    RETURN QUERY
    SELECT variant.sku::text, product.name::text, variant.name::text, product.brand::text,
        variant.status = 'active' AND product.status = 'active', priced.lengths, priced.amounts
    FROM unnest(variants) WITH ORDINALITY AS chosen(id, place)
    JOIN catalog_variant AS variant USING (id)
    JOIN catalog_product AS product ON product.id = product_id
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(contract_length ORDER BY contract_length), '{}') AS lengths,
            coalesce(array_agg(monthly_price ORDER BY contract_length), '{}') AS amounts
        FROM catalog_price AS price WHERE price.variant_id = variant.id
    ) AS priced
    ORDER BY place;
END $$;

-- For each text, by its number, as many variants as are wanted of it, best first.
CREATE FUNCTION catalog_search(asking bigint, texts text[], wanted int[], forgiving boolean)
RETURNS TABLE (
    number int, sku text, product_name text, variant_name text, brand text, is_orderable boolean,
    lengths smallint[], prices numeric[]
) LANGUAGE plpgsql STABLE ROWS 10
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
    FOR n IN 1 .. cardinality(texts) LOOP
        RETURN QUERY SELECT n, offer.* FROM catalog_offers(
            catalog_search_one(asking, texts[n], wanted[n], forgiving)
        ) AS offer;
    END LOOP;
END $$;
"""
ASKING_BACKWARD = """
DROP FUNCTION catalog_search(bigint, text[], int[], boolean);
DROP FUNCTION catalog_offers(bigint[]);
DROP FUNCTION catalog_search_one(bigint, text, int, boolean);
DROP FUNCTION catalog_by_words(bigint, smallint, catalog_question, bigint[], int);
DROP FUNCTION catalog_by_sku(bigint, smallint, text[], bigint[], int);
DROP FUNCTION catalog_question(bigint, text[], boolean, boolean);
DROP FUNCTION catalog_meaning(bigint, text, text, boolean, boolean, boolean);
DROP FUNCTION catalog_query(text, text, text);
DROP FUNCTION catalog_terms(text[]);
DROP TYPE catalog_question;
DROP TYPE catalog_meaning;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0007_catalog_import"),
        ("portal", "0010_api_keys_at_work"),
    ]

    operations = [
        # It stays when this is undone: others may need it too.
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS btree_gin", migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="variant", name="variant_search"),
        migrations.RunSQL(before.before.BACKWARD, OLD_TRIGGERS + before.FILL),
        migrations.RemoveField(model_name="variant", name="search_text"),
        migrations.RemoveField(model_name="variant", name="initials"),
        migrations.RunSQL(WORDS, WORDS_BACKWARD),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "variant",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="catalog.variant",
                    ),
                ),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Most Ordered"),
                            (1, "Often Ordered"),
                            (2, "Active"),
                            (9, "Inactive"),
                        ]
                    ),
                ),
                ("place", models.PositiveIntegerField(null=True)),
                ("popularity", models.PositiveIntegerField()),
                ("sku_key", models.TextField(db_collation="C")),
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
                ("rows", models.PositiveIntegerField()),
                (
                    "slips",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func("word", function="catalog_known_slips"),
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
        migrations.CreateModel(
            name="SearchRefresh",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="portal.tenant",
                    ),
                ),
                ("began_at", models.DateTimeField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunSQL(KEEPING, KEEPING_BACKWARD),
        migrations.RunSQL(ROOM, migrations.RunSQL.noop),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="searchentry",
            constraint=portal.constraints.TenantForeignKey(
                cascade=True,
                field="variant",
                name="search_entry_variant_of_tenant",
                to="catalog.Variant",
            ),
        ),
        migrations.AddConstraint(
            model_name="searchentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("tier__in", [0, 1, 2, 9])), name="search_entry_tier_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="searchentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("place__isnull", False), ("tier", 0)),
                    models.Q(models.Q(("tier", 0), _negated=True), ("place__isnull", True)),
                    _connector="OR",
                ),
                name="search_entry_place_of_most_ordered",
            ),
        ),
        # Made when the rows are there, in a fraction of the time.
        migrations.AddIndex(
            model_name="searchentry",
            index=models.Index(fields=["tenant", "tier", "sku_key"], name="search_entry_sku"),
        ),
        migrations.AddIndex(
            model_name="searchentry",
            index=models.Index(
                condition=models.Q(("place__isnull", False)),
                fields=["tenant", "place"],
                name="search_entry_place",
            ),
        ),
        migrations.AddIndex(
            model_name="searchentry",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["words"], name="search_entry_words"
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=models.Index(fields=["tenant", "word"], include=("rows",), name="search_word"),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=models.Index(
                fields=["tenant", "-rows"], include=("word",), name="search_word_frequent"
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False,
                fields=["tenant", "word"],
                name="search_word_part",
                opclasses=["int8_ops", "gin_trgm_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("slips__isnull", False)),
                fastupdate=False,
                fields=["tenant", "slips"],
                name="search_word_slips",
                opclasses=["int8_ops", "array_ops"],
            ),
        ),
        migrations.RunSQL(ASKING, ASKING_BACKWARD),
    ]
