-- Who reads a conversation by a link reads its files too, and no other file of its person.
CREATE POLICY reader ON file_uses FOR SELECT TO parley_reader
  USING (tenant_id = parley_tenant() AND conversation_id = (SELECT parley_shared()));
GRANT SELECT ON file_uses TO parley_reader;
CREATE POLICY reader ON files FOR SELECT TO parley_reader
  USING (tenant_id = parley_tenant() AND EXISTS (
    SELECT FROM file_uses u WHERE u.file_id = files.id AND u.conversation_id = (SELECT parley_shared())));
GRANT SELECT ON files TO parley_reader;
