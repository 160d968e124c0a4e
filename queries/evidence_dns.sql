SELECT * FROM dns WHERE {of_clients}query_timestamp BETWEEN TIMESTAMP WITH TIME ZONE '{first}' AND TIMESTAMP WITH TIME ZONE '{last}'{below} ORDER BY query_timestamp
