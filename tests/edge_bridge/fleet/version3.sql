PRAGMA application_id = 1346522438;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE birth (
    id INTEGER PRIMARY KEY, node TEXT NOT NULL, t_ms INTEGER NOT NULL, bd_seq INTEGER NOT NULL, bundle TEXT);
INSERT INTO "birth" VALUES(1,'pack-1',1790000000000,0,'abababababababababababababababababababababababababababababababab');
INSERT INTO "birth" VALUES(2,'pack-1',1790000000000,1,'abababababababababababababababababababababababababababababababab');
INSERT INTO "birth" VALUES(3,'pack-1',1790000000000,2,'abababababababababababababababababababababababababababababababab');
CREATE TABLE boot (
    node TEXT NOT NULL, boot TEXT NOT NULL,
    highest INTEGER NOT NULL,  -- the newest row that the edge reported
    stored INTEGER NOT NULL, named INTEGER NOT NULL, first_ms INTEGER, last_ms INTEGER,  -- rows here, rows in gaps alone
    PRIMARY KEY (node, boot)) WITHOUT ROWID;
INSERT INTO "boot" VALUES('pack-1','0a',9,4,2,1790000001000,1790000007000);
INSERT INTO "boot" VALUES('pack-2','0b',1,1,0,1790000009000,1790000009000);
CREATE TABLE counter (kind TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, reason))
    WITHOUT ROWID;
INSERT INTO "counter" VALUES('flagged','future_time',1);
CREATE TABLE gap (node TEXT NOT NULL, boot TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);
INSERT INTO "gap" VALUES('pack-1','0a',3,4);
CREATE TABLE node (node TEXT PRIMARY KEY, online INTEGER NOT NULL, last_ms INTEGER, status TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "node" VALUES('pack-1',1,1790000007000,'{"Bundle/Sha256": "abababababababababababababababababababababababababababababababab"}');
CREATE TABLE pulsebms_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT pulsebms_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "pulsebms_version" VALUES('0003');
CREATE TABLE row (
    node TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL,
    t_ms INTEGER NOT NULL, historical INTEGER NOT NULL, clock TEXT NOT NULL,
    gap_boot TEXT, gap_first INTEGER, gap_last INTEGER, current_a REAL, voltage_v REAL, soc REAL, soc_std REAL, cell_min_v REAL, cell_max_v REAL, temperature_max_k REAL, bms_state INTEGER, bms_fault INTEGER, gate_verdict TEXT, gate_reason TEXT, soh REAL, soh_std REAL, soh_min REAL, resistance_growth REAL, resistance_growth_std REAL, PRIMARY KEY (node, boot, seq)) WITHOUT ROWID;
INSERT INTO "row" VALUES('pack-1','0a',1,1790000001000,0,'',NULL,NULL,NULL,1.5,80.0,0.5,0.01,3.2,3.4,298.15,2,0,'allowed',NULL,0.97,0.01,0.95,1.1,0.05);
INSERT INTO "row" VALUES('pack-1','0a',2,1790000002000,1,'',NULL,NULL,NULL,1.5,80.0,0.5,0.01,3.2,3.4,298.15,2,0,'allowed',NULL,0.97,0.01,0.95,1.1,0.05);
INSERT INTO "row" VALUES('pack-1','0a',6,1790000006000,0,'',NULL,NULL,NULL,1.5,80.0,0.5,0.01,3.2,3.4,298.15,2,0,'allowed',NULL,0.97,0.01,0.95,1.1,0.05);
INSERT INTO "row" VALUES('pack-1','0a',7,1790000007000,0,'','0a',3,4,1.5,80.0,0.5,0.01,3.2,3.4,298.15,2,0,'allowed',NULL,0.97,0.01,0.95,1.1,0.05);
INSERT INTO "row" VALUES('pack-2','0b',1,1790000009000,0,'future',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE INDEX gap_of ON gap (node, boot, last);
CREATE INDEX birth_of ON birth (node);
COMMIT;
