BEGIN TRANSACTION;
CREATE TABLE alerts (
	run_id TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	event_id BIGINT NOT NULL, 
	unit TEXT NOT NULL, 
	triggered_ns BIGINT NOT NULL, 
	detected_ns BIGINT NOT NULL, 
	underlying TEXT NOT NULL, 
	contract TEXT, 
	direction TEXT, 
	demand DOUBLE, 
	demand_scaled DOUBLE, 
	pressure DOUBLE NOT NULL, 
	response_minutes DOUBLE, 
	urgency TEXT NOT NULL, 
	tier TEXT, 
	flow_class TEXT, 
	flow_class_at_close TEXT, 
	confidence DOUBLE NOT NULL, 
	ratio DOUBLE, 
	strikes BIGINT, 
	concentration DOUBLE, 
	volume_contracts DOUBLE, 
	expected_hedge_contracts DOUBLE, 
	hedge_to_come DOUBLE, 
	demand_low DOUBLE, 
	demand_high DOUBLE, 
	demand_expected DOUBLE, 
	signing_json TEXT, 
	spot DOUBLE, 
	point DOUBLE, 
	sigma DOUBLE, 
	sigma_source TEXT, 
	scale_volume DOUBLE, 
	baseline_origin TEXT, 
	members_json TEXT, 
	sentence TEXT NOT NULL, 
	PRIMARY KEY (run_id, alert_id), 
	CONSTRAINT "an alert is detected after its trigger" CHECK (detected_ns >= triggered_ns), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "alerts" VALUES('13621ab956f1f849','a0',0,'event',1767225600000000000,1767225660000000000,'BTC','BTC-2JAN26-90000-C','BUY_FUTURES',2.34567890123456709253e+03,NULL,23.5,10.0,'LOW','ROUTINE_HEDGING','INSTITUTIONAL_SWEEP',NULL,0.4,4.5,3,0.5,450.0,47.0,2000.0,2000.0,2700.0,2300.0,'{"aggressor": 1.0}',90000.0,20.5,0.5,'implied',360.0,'BUCKET','[]','Volume was 4.5 times its baseline; σ and Δ are meant.');
INSERT INTO "alerts" VALUES('13621ab956f1f849','a1',1,'event',1767225600000000001,1767225660000000001,'BTC','BTC-2JAN26-90000-C','BUY_FUTURES',2.34567890123456709253e+03,NULL,23.5,10.0,'LOW','ROUTINE_HEDGING','INSTITUTIONAL_SWEEP',NULL,0.4,4.5,3,0.5,450.0,47.0,2000.0,2000.0,2700.0,2300.0,'{"aggressor": 1.0}',90000.0,20.5,0.5,'implied',360.0,'BUCKET','[]','Volume was 4.5 times its baseline; σ and Δ are meant.');
INSERT INTO "alerts" VALUES('60d625770a787aa9','a0',0,'event',1767225600000000000,1767225660000000000,'BTC','BTC-2JAN26-90000-C','BUY_FUTURES',3.00000000000000044408e-01,NULL,23.5,10.0,'LOW','ROUTINE_HEDGING','INSTITUTIONAL_SWEEP',NULL,0.4,4.5,3,0.5,450.0,47.0,2000.0,2000.0,2700.0,2300.0,'{"aggressor": 1.0}',90000.0,20.5,0.5,'implied',360.0,'BUCKET','[]','Volume was 4.5 times its baseline; σ and Δ are meant.');
CREATE TABLE anomalies (
	run_id TEXT NOT NULL, 
	at_ns BIGINT NOT NULL, 
	contract TEXT NOT NULL, 
	window_ns BIGINT NOT NULL, 
	event_id BIGINT NOT NULL, 
	contracts DOUBLE NOT NULL, 
	baseline_contracts DOUBLE NOT NULL, 
	floor_contracts DOUBLE NOT NULL, 
	ratio DOUBLE NOT NULL, 
	baseline_origin TEXT NOT NULL, 
	demand DOUBLE NOT NULL, 
	PRIMARY KEY (run_id, at_ns, contract, window_ns), 
	CONSTRAINT "a window has a length" CHECK (window_ns > 0), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "anomalies" VALUES('13621ab956f1f849',1767225600000000000,'BTC-2JAN26-90000-C',300000000000,0,450.0,100.0,120.5,4.5,'BUCKET',-1.23456789012345666376e+03);
INSERT INTO "anomalies" VALUES('13621ab956f1f849',1767225600000000001,'BTC-2JAN26-90000-C',300000000000,1,450.0,100.0,120.5,4.5,'BUCKET',-1.23456789012345666376e+03);
CREATE TABLE decisions (
	run_id TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	decided_ns BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	reason_code TEXT NOT NULL, 
	sentence TEXT NOT NULL, 
	plan_json TEXT, 
	PRIMARY KEY (run_id, alert_id, decided_ns), 
	CONSTRAINT "a decision is a plan or a skip" CHECK (kind IN ('plan', 'skip')), 
	CONSTRAINT "an alert is journalled before it is decided on" FOREIGN KEY(run_id, alert_id) REFERENCES alerts (run_id, alert_id), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "decisions" VALUES('13621ab956f1f849','a0',1767225661000000000,'plan','SIZE_ZERO','The size rounds down to nothing.','{}');
INSERT INTO "decisions" VALUES('13621ab956f1f849','a1',1767225661000000001,'plan','SIZE_ZERO','The size rounds down to nothing.','{}');
CREATE TABLE journal_schema (
	version BIGINT NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "journal_schema" VALUES(2);
CREATE TABLE ledger_entries (
	run_id TEXT NOT NULL, 
	entry_id TEXT NOT NULL, 
	trade_id TEXT, 
	at_ns BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	amount_usd DOUBLE NOT NULL, 
	sentence TEXT NOT NULL, 
	PRIMARY KEY (run_id, entry_id), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "ledger_entries" VALUES('13621ab956f1f849','e0','t0',1767225862000000000,'price',100.0,'The price moved in the trade''s favour.');
INSERT INTO "ledger_entries" VALUES('13621ab956f1f849','e1','t0',1767225862000000001,'fee',-40.0,'The price moved in the trade''s favour.');
INSERT INTO "ledger_entries" VALUES('13621ab956f1f849','e2','t1',1767225862000000002,'price',100.0,'The price moved in the trade''s favour.');
INSERT INTO "ledger_entries" VALUES('13621ab956f1f849','e3','t1',1767225862000000003,'fee',-40.0,'The price moved in the trade''s favour.');
CREATE TABLE runs (
	run_id TEXT NOT NULL, 
	data_hash TEXT NOT NULL, 
	config_hash TEXT NOT NULL, 
	code_version TEXT NOT NULL, 
	strategy TEXT NOT NULL, 
	preset TEXT NOT NULL, 
	underlying TEXT NOT NULL, 
	seed BIGINT NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	PRIMARY KEY (run_id), 
	CONSTRAINT "a run executes a recorded trial" FOREIGN KEY(data_hash, config_hash, code_version) REFERENCES trials (data_hash, config_hash, code_version)
);
INSERT INTO "runs" VALUES('13621ab956f1f849','data-1','config-1','0.1.0','volume_shock','normalized','BTC',7,1);
INSERT INTO "runs" VALUES('60d625770a787aa9','data-1','config-1','0.1.0','volume_shock','normalized','BTC',4611686018427387904,1);
CREATE TABLE seals (
	run_id TEXT NOT NULL, 
	table_name TEXT NOT NULL, 
	row_count BIGINT NOT NULL, 
	content_hash TEXT NOT NULL, 
	PRIMARY KEY (run_id, table_name), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "seals" VALUES('13621ab956f1f849','anomalies',2,'ff2dd86d26e199d6b6e0357e1ea4419464d815849f6ed16f637e2417fb0dfd6d');
INSERT INTO "seals" VALUES('13621ab956f1f849','alerts',2,'0fb931cb5c9af66a095e3aafa9cec6ee50596d6235acf675c4faf0332e7fb232');
INSERT INTO "seals" VALUES('13621ab956f1f849','decisions',2,'34c9ac7f052f3e640edddb9e296f1d9b13094c99bb5d0aeb079505c21f3b0b8f');
INSERT INTO "seals" VALUES('13621ab956f1f849','trades',2,'22e7015a6e3f6e09b7d256ba4c8c71bd7ab7ebace7b33a32433d3c0aedb6cf42');
INSERT INTO "seals" VALUES('13621ab956f1f849','ledger_entries',4,'8a36d9c9a79fedea64b1bef619ec7582cc621454cc167e1226793747ab16e32c');
CREATE TABLE trades (
	run_id TEXT NOT NULL, 
	trade_id TEXT NOT NULL, 
	alert_id TEXT, 
	event_id BIGINT, 
	session TEXT NOT NULL, 
	underlying TEXT NOT NULL, 
	instrument TEXT NOT NULL, 
	venue TEXT NOT NULL, 
	flow_class TEXT, 
	urgency TEXT, 
	direction SMALLINT NOT NULL, 
	size_contracts DOUBLE NOT NULL, 
	units DOUBLE NOT NULL, 
	detected_ns BIGINT, 
	entry_ns BIGINT NOT NULL, 
	entry_price DOUBLE NOT NULL, 
	exit_ns BIGINT NOT NULL, 
	exit_price DOUBLE NOT NULL, 
	target DOUBLE, 
	stop DOUBLE, 
	target_distance DOUBLE, 
	stop_distance DOUBLE, 
	limit_minutes DOUBLE, 
	point DOUBLE, 
	exit_reason TEXT NOT NULL, 
	flags TEXT NOT NULL, 
	age_seconds DOUBLE, 
	gross_usd DOUBLE NOT NULL, 
	fees_usd DOUBLE NOT NULL, 
	spread_usd DOUBLE NOT NULL, 
	slippage_usd DOUBLE NOT NULL, 
	net_usd DOUBLE NOT NULL, 
	gross_points DOUBLE, 
	net_points DOUBLE, 
	net_bps DOUBLE, 
	risk_usd DOUBLE, 
	sentence TEXT NOT NULL, 
	PRIMARY KEY (run_id, trade_id), 
	CONSTRAINT "a trade is long (1) or short (-1)" CHECK (direction IN (-1, 1)), 
	CONSTRAINT "a trade ends after it begins" CHECK (exit_ns >= entry_ns), 
	CONSTRAINT "an alert is journalled before it is traded on" FOREIGN KEY(run_id, alert_id) REFERENCES alerts (run_id, alert_id), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "trades" VALUES('13621ab956f1f849','t0','a0',0,'2026-01-01','BTC','BTC-PERPETUAL','deribit','INSTITUTIONAL_SWEEP','LOW',1,1.0,1.0,1767225660000000000,1767225662000000000,90000.0,1767225862000000000,90100.0,90100.0,NULL,100.0,NULL,15.0,20.5,'EXIT_TARGET_HIT','',2.0,100.0,30.0,10.0,0.0,60.0,4.9,2.9,6.7,150.0,'The price reached the target.');
INSERT INTO "trades" VALUES('13621ab956f1f849','t1','a1',1,'2026-01-01','BTC','BTC-PERPETUAL','deribit','INSTITUTIONAL_SWEEP','LOW',1,1.0,1.0,1767225660000000001,1767225662000000001,90000.0,1767225862000000000,90100.0,90100.0,NULL,100.0,NULL,15.0,20.5,'EXIT_TARGET_HIT','',2.0,100.0,30.0,10.0,0.0,60.0,4.9,2.9,6.7,150.0,'The price reached the target.');
CREATE TABLE trials (
	data_hash TEXT NOT NULL, 
	config_hash TEXT NOT NULL, 
	code_version TEXT NOT NULL, 
	strategy TEXT NOT NULL, 
	config_json TEXT NOT NULL, 
	recorded_ns BIGINT, 
	PRIMARY KEY (data_hash, config_hash, code_version)
);
INSERT INTO "trials" VALUES('data-1','config-1','0.1.0','volume_shock','{"preset": "normalized"}',1000);
INSERT INTO "trials" VALUES('data-1','config-2','0.1.0','volume_shock','{"preset": "normalized"}',NULL);
CREATE TRIGGER journal_schema_refuses_update BEFORE UPDATE ON journal_schema BEGIN SELECT RAISE(ABORT, 'the journal is append-only: journal_schema refuses UPDATE'); END;
CREATE TRIGGER journal_schema_refuses_delete BEFORE DELETE ON journal_schema BEGIN SELECT RAISE(ABORT, 'the journal is append-only: journal_schema refuses DELETE'); END;
CREATE TRIGGER trials_refuses_update BEFORE UPDATE ON trials BEGIN SELECT RAISE(ABORT, 'the journal is append-only: trials refuses UPDATE'); END;
CREATE TRIGGER trials_refuses_delete BEFORE DELETE ON trials BEGIN SELECT RAISE(ABORT, 'the journal is append-only: trials refuses DELETE'); END;
CREATE TRIGGER runs_refuses_update BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'the journal is append-only: runs refuses UPDATE'); END;
CREATE TRIGGER runs_refuses_delete BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'the journal is append-only: runs refuses DELETE'); END;
CREATE TRIGGER seals_refuses_update BEFORE UPDATE ON seals BEGIN SELECT RAISE(ABORT, 'the journal is append-only: seals refuses UPDATE'); END;
CREATE TRIGGER seals_refuses_delete BEFORE DELETE ON seals BEGIN SELECT RAISE(ABORT, 'the journal is append-only: seals refuses DELETE'); END;
CREATE TRIGGER anomalies_refuses_update BEFORE UPDATE ON anomalies BEGIN SELECT RAISE(ABORT, 'the journal is append-only: anomalies refuses UPDATE'); END;
CREATE TRIGGER anomalies_refuses_delete BEFORE DELETE ON anomalies BEGIN SELECT RAISE(ABORT, 'the journal is append-only: anomalies refuses DELETE'); END;
CREATE TRIGGER alerts_refuses_update BEFORE UPDATE ON alerts BEGIN SELECT RAISE(ABORT, 'the journal is append-only: alerts refuses UPDATE'); END;
CREATE TRIGGER alerts_refuses_delete BEFORE DELETE ON alerts BEGIN SELECT RAISE(ABORT, 'the journal is append-only: alerts refuses DELETE'); END;
CREATE TRIGGER ledger_entries_refuses_update BEFORE UPDATE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'the journal is append-only: ledger_entries refuses UPDATE'); END;
CREATE TRIGGER ledger_entries_refuses_delete BEFORE DELETE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'the journal is append-only: ledger_entries refuses DELETE'); END;
CREATE TRIGGER decisions_refuses_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'the journal is append-only: decisions refuses UPDATE'); END;
CREATE TRIGGER decisions_refuses_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'the journal is append-only: decisions refuses DELETE'); END;
CREATE TRIGGER trades_refuses_update BEFORE UPDATE ON trades BEGIN SELECT RAISE(ABORT, 'the journal is append-only: trades refuses UPDATE'); END;
CREATE TRIGGER trades_refuses_delete BEFORE DELETE ON trades BEGIN SELECT RAISE(ABORT, 'the journal is append-only: trades refuses DELETE'); END;
COMMIT;
