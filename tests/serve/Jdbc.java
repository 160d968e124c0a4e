import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;

/** Asks a server by JDBC, and prints a line for each answer: its name, a tab, what it is. */
public class Jdbc {
    interface Question {
        Object answer() throws SQLException;
    }

    static void ask(String name, Question question) {
        try {
            System.out.println(name + "\t" + question.answer());
        } catch (SQLException error) {
            System.out.println(name + "\t" + error.getSQLState() + " " + error.getMessage());
        }
    }

    /** How many rows there are, and the values of a column of the first. */
    static String rows(ResultSet rows, int column) throws SQLException {
        int count = 0;
        String first = "";
        while (rows.next()) {
            if (count++ == 0) {
                first = " " + rows.getString(column);
            }
        }
        return count + first;
    }

    public static void main(String[] arguments) throws SQLException {
        Connection connection = DriverManager.getConnection(arguments[0], arguments[1], arguments[2]);
        DatabaseMetaData told = connection.getMetaData();
        ask("catalogs", () -> rows(told.getCatalogs(), 1));
        ask("tables", () -> rows(told.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}), 3));
        ask("columns", () -> rows(told.getColumns(null, "public", "flows", "bytes"), 6));
        ask("primary keys", () -> rows(told.getPrimaryKeys(null, "public", "flows"), 1));
        ask("indexes", () -> rows(told.getIndexInfo(null, "public", "flows", false, true), 1));
        ask("imported keys", () -> rows(told.getImportedKeys(null, "public", "flows"), 1));
        ask("exported keys", () -> rows(told.getExportedKeys(null, "public", "flows"), 1));
        ask("functions", () -> told.getFunctions(null, null, "array_to_string").next());
        ask("types", () -> told.getTypeInfo().next());
        ask("privileges", () -> rows(told.getTablePrivileges(null, "public", "flows"), 3));
        ask("simple", () -> rows(connection.createStatement().executeQuery("SELECT count(*) FROM flows"), 1));
        ask("prepared", () -> {
            PreparedStatement prepared =
                connection.prepareStatement("SELECT count(*) FROM flows WHERE bytes > ? AND start > ?");
            String answer = "";
            // The driver goes over to a named statement and to binary values after some.
            for (int at = 0; at < 8; at++) {
                prepared.setLong(1, 1000);
                prepared.setTimestamp(2, new Timestamp(0));
                answer = rows(prepared.executeQuery(), 1);
            }
            return answer;
        });
        ask("fetched", () -> {
            connection.setAutoCommit(false);
            Statement statement = connection.createStatement();
            statement.setFetchSize(1000);
            ResultSet fetched = statement.executeQuery("SELECT bytes FROM flows");
            long sum = 0;
            while (fetched.next()) {
                sum += fetched.getLong(1);
            }
            connection.commit();
            connection.setAutoCommit(true);
            return sum;
        });
        ask("wrong", () -> connection.createStatement().executeQuery("SELECT nope FROM flows"));
        ask("valid", () -> connection.isValid(5));
        ask("where", () -> connection.getCatalog() + " " + connection.getSchema());
        connection.close();
    }
}
