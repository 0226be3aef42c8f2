#!/usr/bin/env bash
# Make a bench with Frappe, ERPNext and this app, and two sites that have all three.
#
# Needs MariaDB on 127.0.0.1:3306 and Redis on ports 13000 (cache) and 11000 (queue), where bench expects them.
#   FRAPPE_BRANCH     branch of Frappe and of ERPNext, such as version-15
#   BENCH             folder of the bench that is made
#   SITE              name of the site that most tests use
#   SPARE_SITE        name of the other one, for tests that uninstall the app
#   DB_ROOT_PASSWORD  password of MariaDB's root
#   ADMIN_PASSWORD    Administrator's on the new site
set -euo pipefail
: "${FRAPPE_BRANCH:?}" "${BENCH:?}" "${SITE:?}" "${SPARE_SITE:?}" "${DB_ROOT_PASSWORD:?}" "${ADMIN_PASSWORD:?}"
app=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Frappe 16 compiles mysqlclient; bench creates sites with MariaDB's client.
sudo apt-get update -qq
sudo apt-get install -qq -y mariadb-client libmariadb-dev pkg-config libcups2-dev
command -v yarn >/dev/null || npm install --silent --global yarn
python -m pip install --quiet frappe-bench

database() { mariadb --host 127.0.0.1 --user root --password="$DB_ROOT_PASSWORD" --execute "$1"; }
database "SET GLOBAL character_set_server = 'utf8mb4'"
database "SET GLOBAL collation_server = 'utf8mb4_unicode_ci'"

# Assets are not built: the site tests talk to the server and load no page's scripts.
bench init --frappe-branch "$FRAPPE_BRANCH" --python "$(command -v python)" \
	--skip-redis-config-generation --skip-assets --no-backups "$BENCH"
cd "$BENCH"
bench get-app --branch "$FRAPPE_BRANCH" --skip-assets erpnext
bench get-app --skip-assets "$app"
bench pip install pytest

bench set-config --global db_host 127.0.0.1
for site in "$SITE" "$SPARE_SITE"; do
	bench new-site "$site" --db-root-password "$DB_ROOT_PASSWORD" --admin-password "$ADMIN_PASSWORD" \
		--mariadb-user-host-login-scope '%'
	bench --site "$site" install-app erpnext
	bench --site "$site" install-app erpnext_zoho_integration
	bench --site "$site" list-apps
done
