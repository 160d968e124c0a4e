SELECT * FROM vpc_flow_logs WHERE interface_id IN ({interfaces}) AND start BETWEEN {first} AND {last} AND (dstaddr IN ({addresses}) OR srcaddr IN ({addresses})) ORDER BY start
