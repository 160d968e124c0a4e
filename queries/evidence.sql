SELECT * FROM vpc_flow_logs WHERE {of_interfaces}start BETWEEN {first} AND {last}{with_addresses} ORDER BY start
