//! scratch
use carafe::Compression; use carafe_bench::{ours, payload::Payload};
fn main(){ let a: Vec<String>=std::env::args().collect(); let p=match a[1].as_str(){"1"=>Payload::p1(),"2"=>Payload::p2(),_=>Payload::p3()};
 let n: u64=a[3].parse().unwrap();
 let cookie=ours::cookie(&p,Compression::Never); let h=ours::headers(&cookie); let l=ours::layer(0,Compression::Never);
 let s=ours::serializer(Compression::Never); let v=ours::value(&p);
 let t=std::time::Instant::now();
 match a[2].as_str(){"r"=>for _ in 0..n{std::hint::black_box(ours::read(&l,&h,p.key));},_=>for _ in 0..n{std::hint::black_box(s.dumps(&v,1700000000).unwrap());}}
 println!("{:.0} ns", t.elapsed().as_nanos() as f64/n as f64);
}
