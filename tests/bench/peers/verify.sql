-- Rows that do not continue the row before them: must be none.
select 'global', count(*) as rows, count(*) filter (
    where hash <> sha256(coalesce(previous, ''::bytea) || uuid_send(event_id) || body)
       or previous is distinct from before) as broken
from (select *, lag(hash) over (order by position) as before from audit_global) rows;
select 'entity', count(*) as rows, count(*) filter (
    where hash <> sha256(previous || uuid_send(event_id) || body)
       or previous is distinct from coalesce(before, ''::bytea)) as broken
from (select *, lag(hash) over (partition by entity order by position) as before from audit_entity) rows;
