-- How a destination is reached beyond its endpoint: own domain, proxy, certificate authority, signature, source of keys.
ALTER TABLE destinations ADD COLUMN connection_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE destinations ADD COLUMN has_proxy_password INTEGER NOT NULL DEFAULT 0;
