"""All methods on the same records, over seeds: the form of the paper's Tables I and II."""

from attent_tf.benchmarking.forecast import forecast, forecast_lines
from attent_tf.benchmarking.plan import BenchmarkRun, plan_runs
from attent_tf.benchmarking.tables import benchmark_tables

__all__ = ["BenchmarkRun", "benchmark_tables", "forecast", "forecast_lines", "plan_runs"]
